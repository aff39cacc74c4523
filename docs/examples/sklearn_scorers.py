"""Detectors of scikit-learn, judged in cross-validation and chosen in a search by metrics of this library."""

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import anomaly_kernels as ak
from anomaly_kernels.data import load_shuttle


def ranked_by(metric, **settings):
    """A scorer for IsolationForest, OneClassSVM, LocalOutlierFactor(novelty=True) and EllipticEnvelope."""

    def judge(y, normality):  # their decision function is low for anomalies: turn the sign
        return float(metric(y, -normality, **settings))

    return make_scorer(judge, response_method="decision_function")


scoring = {
    "average precision": ranked_by(ak.average_precision),
    "ROC AUC": ranked_by(ak.roc_auc),
    "partial ROC AUC": ranked_by(ak.roc_auc, max_fpr=0.05),
}
features, target = load_shuttle()[:2]
folds = StratifiedKFold(3, shuffle=True, random_state=0)
forest = IsolationForest(n_estimators=50, random_state=0)

# the labels are used to judge only: an isolation forest does not look at them
found = cross_validate(forest, features, target, scoring=scoring, cv=folds)
for name in scoring:
    print(f"{name:20} {np.mean(found[f'test_{name}']):.3f}")

settings = {"max_features": [3, 9], "max_samples": [64, 512]}
search = GridSearchCV(forest, settings, scoring=scoring, refit="average precision", cv=folds)
search.fit(features, target)
print("best:", search.best_params_)

# a classifier's response is high for class 1: the metric is the scorer
scorer = make_scorer(ak.average_precision, response_method=("decision_function", "predict_proba"))
classifier = make_pipeline(StandardScaler(), LogisticRegression())
print(f"classifier           {cross_val_score(classifier, features, target, scoring=scorer, cv=folds).mean():.3f}")
