# SPDX-License-Identifier: MIT
"""Forests of Overtake in what knows scikit-learn's alone."""

import numpy as np
import onnxruntime
import pytest
import skl2onnx
from sklearn.datasets import load_diabetes, load_iris

from overtake.sklearn import ExtraTreesRegressor, RandomForestClassifier


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("forest", "data"),
    [
        (RandomForestClassifier(n_estimators=20, random_state=0), load_iris(return_X_y=True)),
        (ExtraTreesRegressor(n_estimators=20, random_state=0), load_diabetes(return_X_y=True)),
    ],
)
def test_onnx_runtime_predicts_the_same(forest, data):
    X, y = data[0].astype(np.float32), data[1]
    forest.fit(X, y)
    converted = skl2onnx.to_onnx(
        forest.as_sklearn(), X[:1], options={"zipmap": False} if hasattr(forest, "classes_") else None
    )
    session = onnxruntime.InferenceSession(converted.SerializeToString(), providers=["CPUExecutionProvider"])
    answers = session.run(None, {"X": X})
    if hasattr(forest, "classes_"):
        np.testing.assert_array_equal(answers[0], forest.predict(X))
        np.testing.assert_allclose(answers[1], forest.predict_proba(X), atol=1e-6)
    else:
        np.testing.assert_allclose(answers[0][:, 0], forest.predict(X), rtol=1e-5)
