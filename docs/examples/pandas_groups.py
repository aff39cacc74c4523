"""A table of scores: metrics for each machine and each day, and a threshold for each machine."""

import numpy as np
import pandas as pd

import anomaly_kernels as ak

# scores of three machines on four days; each machine has a level of its own
rng = np.random.default_rng(0)
frame = pd.DataFrame(
    {
        "machine": np.repeat(["A", "B", "C"], 400),
        "day": np.tile(np.repeat(pd.date_range("2026-03-02", periods=4), 100), 3),
        "anomaly": rng.random(1200) < 0.05,
    }
)
level = frame["machine"].map({"A": 0.0, "B": 2.0, "C": 5.0})
frame["score"] = level + rng.normal(size=1200) + 3 * frame["anomaly"]


def ranking(group):
    target, score = group["anomaly"].to_numpy(), group["score"].to_numpy()
    return pd.Series(
        {
            "anomalies": target.sum(),
            "average precision": float(ak.average_precision(target, score)),
            "ROC AUC": float(ak.roc_auc(target, score)),
        }
    )


columns = ["anomaly", "score"]
print(frame.groupby("machine")[columns].apply(ranking).round(3), end="\n\n")
print(frame.groupby(["machine", "day"])[columns].apply(ranking)["ROC AUC"].unstack("machine").round(3), end="\n\n")
print(ranking(frame).round(3).to_string(), end="\n\n")


# a threshold for each machine from the normal rows of the first two days; the last two are judged
def limit(score):
    return float(ak.threshold_at_rate(score.to_numpy(), rate=0.02))


def decided(group):
    target, alarm = group["anomaly"].to_numpy(), group["alarm"].to_numpy()
    return pd.Series(ak.anomaly_detection_metrics(target, alarm)._asdict())


early = frame["day"] < "2026-03-04"
threshold = frame[early & ~frame["anomaly"]].groupby("machine")["score"].apply(limit)
later = frame[~early].assign(alarm=lambda rows: rows["score"] >= rows["machine"].map(threshold))
table = later.groupby("machine")[["anomaly", "alarm"]].apply(decided)[["precision", "recall", "f1_score"]]
print(table.astype(float).assign(threshold=threshold).round(2))
