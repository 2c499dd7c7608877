# SPDX-License-Identifier: MIT
"""scikit-learn's forests, grown and walked by Overtake.

The classes are scikit-learn's own ones with what computes replaced: constructor, parameters, tags, pickling and all that
works on fitted trees stay as they are there.
"""

from __future__ import annotations

import abc
import copy
import numbers
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import DataConversionWarning
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import validate_parameter_constraints
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .._calls import threads
from .._data import Array, TrainingData, is_plain
from .._errors import UsageError
from .._model import Model, train_forest
from .._progress import bar
from . import _categories
from ._dense import dense
from ._ran import note
from ._threads import threads_of
from ._trees import Trees, sklearn_forest

# Parameters of the library; the others of the constructor are about how it is run.
CORE_PARAMETERS = (
    "n_estimators",
    "criterion",
    "max_depth",
    "min_samples_split",
    "min_samples_leaf",
    "min_weight_fraction_leaf",
    "max_features",
    "max_leaf_nodes",
    "min_impurity_decrease",
    "bootstrap",
    "ccp_alpha",
    "max_samples",
    "warm_start",
)
# Parameters that the library does not see as they are.
_NOT_TOLD = ("oob_score", "random_state", "verbose")
_MOST_SEED = np.iinfo(np.int32).max


class Unsupported(UsageError):
    """What scikit-learn has and Overtake has not."""


def named_weights(weights: Any, classes: Array | None) -> Any:
    """class_weight with its classes named as the library names them."""
    if isinstance(weights, list):
        raise Unsupported(
            "class_weight: a list is for several outputs, which Overtake has not; expected a dict or a word"
        )
    if isinstance(weights, dict) and classes is not None:
        names = {label: str(label) for label in classes.tolist()}
        # A label that is no class keeps its quotes: '1' is not 1.
        return {
            names.get(label, repr(label) if isinstance(label, str) else str(label)): weight
            for label, weight in weights.items()
        } or None
    return weights


class OvertakeForest(metaclass=abc.ABCMeta):
    """What the four estimators share: stands before scikit-learn's class in the order of resolution."""

    _kind: str
    _parameter_constraints: dict[str, list[Any]]
    _param_names: list[str]
    # scikit-learn's; declared for the reader and the type checker.
    n_estimators: int
    n_features_in_: int
    n_outputs_: int
    estimator: Any
    device: str | None = None
    max_bins: int | None = None
    random_state: Any
    n_jobs: int | None
    oob_score: bool | Callable[..., float]
    verbose: int
    warm_start: bool
    get_params: Callable[..., dict[str, Any]]
    model_: Model
    categories_: _categories.Known
    _given_categories: dict[int, _categories.Column]

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """scikit-learn's, which reads the signature anew for each clone."""
        if "_param_names" not in cls.__dict__:
            cls._param_names = super()._get_param_names()  # type: ignore[misc]
        return list(cls._param_names)

    # -- training ------------------------------------------------------------------------------------------------------

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Grow the forest.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Computed with as float32; NaN: missing. Sparse ones are made dense where the computer's memory has room.
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        UsageError
            For a parameter's value that is not accepted, or that Overtake has not.
        DataError, ValueError
            For data that cannot be trained on.
        DeviceError
            Where memory of the computer or the device does not do.
        """
        before = dict(self.__dict__)
        try:
            self._grow(X, y, sample_weight)
        except BaseException:  # what was fitted stays whole
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        note(self)
        return self

    def _grow(self, X: Any, y: Any, sample_weight: Any) -> None:
        self._refuse_unsupported()
        inputs, answers = self._checked_data(X, y)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, inputs, dtype=np.float32)
        data = self._training_data(inputs, answers, weights)
        del self._given_categories
        parameters = self.core_parameters()
        earlier = getattr(self, "model_", None) if self.warm_start else None
        if earlier is None or not hasattr(self, "seed_"):
            self.seed_ = self._draw_seed()
        elif self.n_estimators == earlier.description["trees"]:
            warnings.warn(
                "Warm-start fitting without increasing n_estimators does not fit new trees.", UserWarning, stacklevel=3
            )
        parameters["random_state"] = self.seed_
        settings = {} if self.device is None else {"device": self.device}
        with threads(threads_of(self.n_jobs)), bar(type(self).__name__, bool(self.verbose)) as observer:
            self.model_ = train_forest(self._kind, parameters, data, settings, earlier, observer)
        self._publish(answers)

    def core_parameters(self) -> dict[str, Any]:
        """The parameters that the library is given, but for the seed."""
        given: dict[str, Any] = {name: getattr(self, name) for name in CORE_PARAMETERS}
        given["oob_score"] = bool(self.oob_score)
        if self.max_bins is not None:
            given["max_bins"] = self.max_bins
        return given

    def _refuse_unsupported(self) -> None:
        """Refuse by name what only scikit-learn has; the library refuses what it has not itself. What the library is not told
        scikit-learn checks.
        """
        constraints = {name: self._parameter_constraints[name] for name in _NOT_TOLD}
        validate_parameter_constraints(
            constraints, {name: getattr(self, name) for name in _NOT_TOLD}, type(self).__name__
        )
        if getattr(self, "monotonic_cst", None) is not None:
            raise Unsupported(
                "monotonic_cst: Overtake has no monotonic constraints; expected None",
                "Use scikit-learn's own class, or leave the constraint out.",
            )

    def _draw_seed(self) -> int:
        if isinstance(self.random_state, numbers.Integral):
            return int(self.random_state)
        return int(check_random_state(self.random_state).randint(_MOST_SEED))

    def _checked_data(self, X: Any, y: Any) -> tuple[Array, Array]:
        """Inputs that the library can read, and answers of one dimension."""
        if issparse(y):
            raise ValueError("sparse multilabel-indicator for y is not supported.")
        if (
            is_plain(X)
            and type(y) is np.ndarray
            and y.ndim == 1
            and y.dtype.kind in "iuf"
            and len(X) == len(y)
            and X.size
        ):
            # All that validate_data() finds out of such arrays, but for numbers that are not finite: the library looks.
            self.n_features_in_ = X.shape[1]
            self._given_categories = {}
            if hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
            if y.dtype.kind == "f" and not np.isfinite(y).all():
                validate_data(self, X, y, dtype=None, ensure_all_finite="allow-nan", y_numeric=True)
            return X, y
        X, self._given_categories = _categories.to_learn(dense(X))
        with _categories.told_what_to_do(X):
            X, y = validate_data(
                self,
                X,
                y,
                multi_output=True,
                dtype=(np.float32, np.float64),
                ensure_all_finite="allow-nan",
            )
        if y.ndim == 2:
            if y.shape[1] != 1:
                raise Unsupported(
                    f"y has {y.shape[1]} columns: Overtake has no forests of several outputs; expected one answer a row",
                    "Fit one forest a column (sklearn.multioutput), or use scikit-learn's own class.",
                )
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples,), "
                "for example using ravel().",
                DataConversionWarning,
                stacklevel=4,
            )
            y = y[:, 0]
        return X, y

    def _training_data(self, inputs: Array, answers: Array, weights: Array | None) -> TrainingData:
        """What the library trains on, with the categories of the last _checked_data()."""
        given = self._given_categories
        data = TrainingData(
            inputs,
            weights=weights,
            feature_names=getattr(self, "feature_names_in_", None),
            categories={place: (column.names, column.ordered) for place, column in given.items()},
            **self._answers_to_learn(answers),
        )
        self.categories_ = data.categories() if given else []
        return data

    @abc.abstractmethod
    def _answers_to_learn(self, answers: Array) -> dict[str, Any]:
        """The arguments of TrainingData that say what is to be learned."""

    def _publish(self, answers: Array) -> None:
        """Set scikit-learn's attributes of a fitted forest."""
        self.n_outputs_ = 1
        self._n_samples = len(answers)
        self.__dict__.pop("_trees", None)
        if not self.oob_score:
            return
        shares = self.model_.array("oob_prediction").reshape(len(answers), -1)
        if np.isnan(shares).any():
            warnings.warn(
                "Some inputs do not have OOB scores. This probably means too few trees were used to compute any "
                "reliable OOB estimates.",
                UserWarning,
                stacklevel=5,
            )
        self._publish_oob(answers, shares)

    @abc.abstractmethod
    def _publish_oob(self, answers: Array, shares: Array) -> None:
        """Set scikit-learn's attributes of the rows that a tree did not see."""

    # -- answers -------------------------------------------------------------------------------------------------------

    def _inputs(self, X: Any) -> Array:
        """Inputs to predict, as the library reads them."""
        own = self.__dict__
        if "model_" not in own:
            check_is_fitted(self)
        if is_plain(X) and len(X) and X.shape[1] == own["n_features_in_"] and "feature_names_in_" not in own:
            plain: Array = X
            return plain
        return self._validate_X_predict(X)

    def _validate_X_predict(self, X: Any) -> Array:
        check_is_fitted(self)
        return self._checked_inputs(X)

    def _checked_inputs(self, X: Any) -> Array:
        X = _categories.to_predict(dense(X), getattr(self, "categories_", []), getattr(self, "feature_names_in_", None))
        with _categories.told_what_to_do(X):
            checked: Array = validate_data(
                self, X, dtype=(np.float32, np.float64), reset=False, ensure_all_finite="allow-nan"
            )
        return checked

    def encode(self, X: Any) -> Array:
        """`X` as the numbers that the trees compare: a category is its place in ``categories_``, NaN where it is not there.

        For :meth:`as_sklearn` and what is made from it.
        """
        return self._inputs(X)

    def apply(self, X: Any) -> Array:
        """The leaf that each row reaches in each tree, rows x trees."""
        inputs = self._inputs(X)
        with threads(threads_of(self.n_jobs)):
            return self.model_.apply(inputs).astype(np.int64)

    def decision_path(self, X: Any) -> Any:
        """As scikit-learn's: the nodes that each row passes, as a sparse matrix, and where each tree's nodes begin."""
        return self.as_sklearn().decision_path(self._inputs(X))

    @property
    def feature_importances_(self) -> Array:
        """Mean decrease in impurity by feature; sums to 1, or all 0 where no tree has a split."""
        check_is_fitted(self)
        return self.model_.array("feature_importances")

    @property
    def estimator_(self) -> Any:
        """A decision tree of scikit-learn's that is not fitted, as scikit-learn's forests have it."""
        if "_estimator" not in self.__dict__:
            check_is_fitted(self)
            self._estimator = copy.deepcopy(self.estimator)
        return self._estimator

    @estimator_.setter
    def estimator_(self, tree: Any) -> None:
        self._estimator = tree

    @property
    def estimators_samples_(self) -> list[Array]:
        """The rows that each tree drew, as often as it drew them; worked out when asked for."""
        check_is_fitted(self)
        return [self.model_.drawn_rows(tree, self._n_samples) for tree in range(self.model_.description["trees"])]

    # -- trees, files --------------------------------------------------------------------------------------------------

    @property
    def estimators_(self) -> Any:
        """The trees as scikit-learn's decision trees, made when somebody asks for them."""
        if "_trees" not in self.__dict__:
            if "model_" not in self.__dict__:
                raise AttributeError(f"{type(self).__name__!r} object has no attribute 'estimators_'")
            self._trees = Trees(self)
        return self._trees

    @estimators_.setter
    def estimators_(self, trees: Any) -> None:
        raise UsageError(
            "estimators_ are views of the trees, and predictions would not change with them",
            "as_sklearn() gives a forest of scikit-learn's own class, whose trees can be exchanged.",
        )

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())  # type: ignore[misc]
        if "model_" in state:
            state.pop("_trees", None)
        return state

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in self.__dict__

    def as_sklearn(self) -> Any:
        """A forest of scikit-learn's own class with the same trees: its predictions are equal to these.

        Whatever knows scikit-learn's classes (SHAP, converters to ONNX, treelite) works on it.
        """
        check_is_fitted(self)
        return sklearn_forest(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model file that ``overtake.load`` and the tool read."""
        check_is_fitted(self)
        self.model_.save(path)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()  # type: ignore[misc]
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags


class OvertakeClassifier(OvertakeForest):
    """Forests of classes."""

    classes_: Array
    n_classes_: int
    class_weight: Any

    def core_parameters(self) -> dict[str, Any]:
        """As of all forests, and class_weight, whose classes are named as text."""
        given = super().core_parameters()
        weights = named_weights(self.class_weight, getattr(self, "classes_", None))
        if weights is not None:
            given["class_weight"] = weights
        return given

    def _answers_to_learn(self, answers: Array) -> dict[str, Any]:
        if answers.dtype.kind not in "iub":
            check_classification_targets(answers)
        self.classes_, labels = np.unique(answers, return_inverse=True)
        self.n_classes_ = len(self.classes_)
        names = [str(label) for label in self.classes_.tolist()]
        return {"labels": labels, "classes": self.n_classes_, "class_names": names}

    def _publish_oob(self, answers: Array, shares: Array) -> None:
        self.oob_decision_function_ = shares
        if callable(self.oob_score):
            labels = np.searchsorted(self.classes_, answers)
            self.oob_score_ = self.oob_score(labels, np.argmax(np.nan_to_num(shares), axis=1))
        else:
            self.oob_score_ = self.model_.description["oob_score"]

    def predict(self, X: Any) -> Array:
        """The most likely class of each row, the first of equals."""
        inputs = self._inputs(X)
        with threads(threads_of(self.n_jobs)):
            numbers = self.model_.predict_classes(inputs)
        answers: Array = self.classes_.take(numbers)
        return answers

    def predict_proba(self, X: Any) -> Array:
        """The share of each class, rows x classes in the order of ``classes_``."""
        inputs = self._inputs(X)
        with threads(threads_of(self.n_jobs)):
            return self.model_.predict(inputs)

    def predict_log_proba(self, X: Any) -> Array:
        """The natural logarithm of predict_proba()."""
        with np.errstate(divide="ignore"):
            logarithms: Array = np.log(self.predict_proba(X))
        return logarithms


class OvertakeRegressor(OvertakeForest):
    """Forests of numbers."""

    def _answers_to_learn(self, answers: Array) -> dict[str, Any]:
        return {"targets": answers.astype(np.float64)}

    def _publish_oob(self, answers: Array, shares: Array) -> None:
        self.oob_prediction_ = shares[:, 0]
        if callable(self.oob_score):
            self.oob_score_ = self.oob_score(answers, np.nan_to_num(self.oob_prediction_))
        else:
            self.oob_score_ = self.model_.description["oob_score"]

    def predict(self, X: Any) -> Array:
        """What the forest answers to each row."""
        inputs = self._inputs(X)
        with threads(threads_of(self.n_jobs)):
            return self.model_.predict(inputs)[:, 0]
