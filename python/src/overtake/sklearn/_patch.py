# SPDX-License-Identifier: MIT
"""scikit-learn's names lead to Overtake: for scripts that are not changed at all."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import sklearn.ensemble
import sklearn.model_selection

from .._errors import DataError, UsageError
from ._dense import TooLarge
from ._forests import OvertakeClassifier, OvertakeForest, OvertakeRegressor
from ._ran import note
from ._search import OvertakeGrid, OvertakeRandom

# What the classes of Overtake answer themselves once they are fitted.
_ANSWERS = (
    "apply",
    "decision_path",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "feature_importances_",
    "estimators_samples_",
    "_validate_X_predict",
)


class FallsBack(OvertakeForest):
    """What Overtake refuses, scikit-learn's own class fits, or refuses in its own words."""

    _theirs: Any  # scikit-learn's class
    _fitted_by_them: Any  # this class with the answers of scikit-learn's

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Grow the forest, or have scikit-learn grow it."""
        try:
            return super().fit(X, y, sample_weight)
        except (UsageError, DataError, TooLarge) as error:
            if self.warm_start and "model_" in self.__dict__:
                raise  # scikit-learn's class cannot go on with these trees
            if type(self) not in _PAIRS.values():
                raise type(error)(
                    f"{type(self).__name__}, which is derived from Overtake's class: {error.message}",
                    "scikit-learn's class cannot take its place. Derive from it before patch(), or leave that out.",
                ) from None
            reason = error.message
        for name in ("model_", "_trees", "seed_"):
            self.__dict__.pop(name, None)
        note(self, reason)
        self.__class__ = self._fitted_by_them
        return self._theirs.fit(self, X, y, sample_weight)


class FittedByThem:
    """A forest that scikit-learn fitted; the next fit tries Overtake anew."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Grow the forest anew, or further where scikit-learn began it."""
        mine: Any = self
        if mine.warm_start and "_trees" in self.__dict__:
            return mine._theirs.fit(self, X, y, sample_weight)
        self.__dict__.pop("_trees", None)
        self.__class__ = type(self).__mro__[2]
        return mine.fit(X, y, sample_weight)

    def __sklearn_is_fitted__(self) -> bool:
        return "_trees" in self.__dict__

    @property
    def estimators_(self) -> Any:
        """scikit-learn's trees."""
        if "_trees" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'estimators_'")
        return self._trees

    @estimators_.setter
    def estimators_(self, trees: Any) -> None:
        self._trees = trees


class Patched:
    """The classes that stand for scikit-learn's. They have its constructors, and so its parameters alone."""


class PatchedFittedByThem:
    """The same, fitted by scikit-learn."""


def _define(place: type, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> Any:
    """A class that pickle finds as an attribute of `place`."""
    made = type(name, bases, {"__module__": __name__, "__qualname__": f"{place.__name__}.{name}", **members})
    setattr(place, name, made)
    return made


def _patched_forest(name: str) -> Any:
    theirs = getattr(sklearn.ensemble, name)
    ours = OvertakeClassifier if name.endswith("Classifier") else OvertakeRegressor
    kind = "random-forest" if name.startswith("Random") else "extra-trees"
    tags = inspect.getattr_static(theirs, "__sklearn_tags__")
    members = {"_kind": kind, "_theirs": theirs, "__doc__": theirs.__doc__, "__sklearn_tags__": tags}
    made = _define(Patched, name, (FallsBack, ours, theirs), members)
    answers = {name: inspect.getattr_static(theirs, name) for name in _ANSWERS if hasattr(theirs, name)}
    made._fitted_by_them = _define(PatchedFittedByThem, name, (FittedByThem, made), answers)
    return made


def _patched_search(name: str, ours: type) -> Any:
    theirs = getattr(sklearn.model_selection, name)
    return _define(Patched, name, (ours, theirs), {"_falls_back": True, "__doc__": theirs.__doc__})


# scikit-learn's class -> what stands for it.
_FORESTS = ("RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier", "ExtraTreesRegressor")
_PAIRS: dict[Any, Any] = {getattr(sklearn.ensemble, name): _patched_forest(name) for name in _FORESTS}
_PAIRS[sklearn.model_selection.GridSearchCV] = _patched_search("GridSearchCV", OvertakeGrid)
_PAIRS[sklearn.model_selection.RandomizedSearchCV] = _patched_search("RandomizedSearchCV", OvertakeRandom)


def _replace(pairs: dict[Any, Any]) -> None:
    """In every module, let the names that mean the one class mean the other. The modules that define them stay as they
    are, so that pickles of either are found.
    """
    homes = {theirs.__module__ for theirs in _PAIRS} | {__name__}
    for module_name, module in list(sys.modules.items()):
        if module_name in homes or module_name.split(".")[0] == "overtake" or not hasattr(module, "__dict__"):
            continue
        for name, value in list(vars(module).items()):
            if isinstance(value, type) and value in pairs:
                setattr(module, name, pairs[value])


def patch() -> None:
    """Let scikit-learn's forests and searches be Overtake's in this process, in modules imported before and after.

    What Overtake has not, scikit-learn's class does; ``overtake.sklearn.summary()`` counts both.
    """
    _replace(_PAIRS)


def unpatch() -> None:
    """Undo patch(). Objects that were made stay what they are."""
    _replace({ours: theirs for theirs, ours in _PAIRS.items()})
