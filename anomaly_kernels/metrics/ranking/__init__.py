"""Metrics of a ranking: they see the order of the scores and nothing else, and no threshold but those the scores give.

A threshold s means that all scores of s and higher raise an alarm. The metrics, in `areas`, `decisions` and
`curves`, are formulas of the `Ranking` that `_sorted` explains by a picture. `_inputs` checks and prepares the arrays,
`_evaluate` leads from there to results, and `unique_scores` is the state of a ranking whose scores come in parts.
"""
