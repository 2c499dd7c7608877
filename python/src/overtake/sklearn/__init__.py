# SPDX-License-Identifier: MIT
"""scikit-learn's estimators, computed by Overtake: change the import, keep the rest.

Every class has scikit-learn's constructor, attributes and methods (docs/python.md says what differs), and two arguments
more: `device` ("cpu", "cuda", "opencl:0", ...; None: Overtake chooses) and `max_bins` (None: the library's own number).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sklearn.ensemble
import sklearn.model_selection

import overtake

if not hasattr(overtake, "OvertakeError"):
    raise ImportError(
        f"{overtake.__file__} is another package of this name (a helper for typing)\n"
        "hint: pip uninstall overtake, then pip install --force-reinstall overtake-ml."
    )

from ._forests import OvertakeClassifier, OvertakeRegressor, Unsupported
from ._patch import patch, unpatch
from ._ran import summary
from ._search import OvertakeGrid, OvertakeRandom

__all__ = [
    "ExtraTreesClassifier",
    "ExtraTreesRegressor",
    "GridSearchCV",
    "RandomForestClassifier",
    "RandomForestRegressor",
    "RandomizedSearchCV",
    "Unsupported",
    "patch",
    "summary",
    "unpatch",
]


class RandomForestClassifier(OvertakeClassifier, sklearn.ensemble.RandomForestClassifier):
    """:class:`sklearn.ensemble.RandomForestClassifier`, computed by Overtake.

    Parameters
    ----------
    n_estimators, criterion, max_depth, ... :
        As of scikit-learn. What Overtake has not is refused by name in ``fit``.
    n_jobs : int, optional
        Threads of the CPU. None: all cores, but one in a worker of joblib or Dask.
    device : str, optional
        "cpu", "cuda:0", "opencl:0", ...; None: Overtake chooses.
    max_bins : int, optional
        Most bins of a feature; None: the library's own number.

    Attributes
    ----------
    model_ : overtake.Model
        The trained forest.
    """

    _kind = "random-forest"

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | float | None = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        device: str | None = None,
        max_bins: int | None = None,
    ) -> None:
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.device = device
        self.max_bins = max_bins


class RandomForestRegressor(OvertakeRegressor, sklearn.ensemble.RandomForestRegressor):
    """:class:`sklearn.ensemble.RandomForestRegressor`, computed by Overtake.

    Parameters
    ----------
    n_estimators, criterion, max_depth, ... :
        As of scikit-learn. What Overtake has not is refused by name in ``fit``.
    n_jobs : int, optional
        Threads of the CPU. None: all cores, but one in a worker of joblib or Dask.
    device : str, optional
        "cpu", "cuda:0", "opencl:0", ...; None: Overtake chooses.
    max_bins : int, optional
        Most bins of a feature; None: the library's own number.

    Attributes
    ----------
    model_ : overtake.Model
        The trained forest.
    """

    _kind = "random-forest"

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | float | None = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = True,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        device: str | None = None,
        max_bins: int | None = None,
    ) -> None:
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.device = device
        self.max_bins = max_bins


class ExtraTreesClassifier(OvertakeClassifier, sklearn.ensemble.ExtraTreesClassifier):
    """:class:`sklearn.ensemble.ExtraTreesClassifier`, computed by Overtake.

    Parameters
    ----------
    n_estimators, criterion, max_depth, ... :
        As of scikit-learn. What Overtake has not is refused by name in ``fit``.
    n_jobs : int, optional
        Threads of the CPU. None: all cores, but one in a worker of joblib or Dask.
    device : str, optional
        "cpu", "cuda:0", "opencl:0", ...; None: Overtake chooses.
    max_bins : int, optional
        Most bins of a feature; None: the library's own number.

    Attributes
    ----------
    model_ : overtake.Model
        The trained forest.
    """

    _kind = "extra-trees"

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "gini",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | float | None = "sqrt",
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        class_weight: Any = None,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        device: str | None = None,
        max_bins: int | None = None,
    ) -> None:
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            class_weight=class_weight,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.device = device
        self.max_bins = max_bins


class ExtraTreesRegressor(OvertakeRegressor, sklearn.ensemble.ExtraTreesRegressor):
    """:class:`sklearn.ensemble.ExtraTreesRegressor`, computed by Overtake.

    Parameters
    ----------
    n_estimators, criterion, max_depth, ... :
        As of scikit-learn. What Overtake has not is refused by name in ``fit``.
    n_jobs : int, optional
        Threads of the CPU. None: all cores, but one in a worker of joblib or Dask.
    device : str, optional
        "cpu", "cuda:0", "opencl:0", ...; None: Overtake chooses.
    max_bins : int, optional
        Most bins of a feature; None: the library's own number.

    Attributes
    ----------
    model_ : overtake.Model
        The trained forest.
    """

    _kind = "extra-trees"

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        criterion: str = "squared_error",
        max_depth: int | None = None,
        min_samples_split: float = 2,
        min_samples_leaf: float = 1,
        min_weight_fraction_leaf: float = 0.0,
        max_features: str | float | None = 1.0,
        max_leaf_nodes: int | None = None,
        min_impurity_decrease: float = 0.0,
        bootstrap: bool = False,
        oob_score: Any = False,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
        warm_start: bool = False,
        ccp_alpha: float = 0.0,
        max_samples: float | None = None,
        monotonic_cst: Any = None,
        device: str | None = None,
        max_bins: int | None = None,
    ) -> None:
        super().__init__(
            n_estimators=n_estimators,
            criterion=criterion,
            max_depth=max_depth,
            min_samples_split=min_samples_split,
            min_samples_leaf=min_samples_leaf,
            min_weight_fraction_leaf=min_weight_fraction_leaf,
            max_features=max_features,
            max_leaf_nodes=max_leaf_nodes,
            min_impurity_decrease=min_impurity_decrease,
            bootstrap=bootstrap,
            oob_score=oob_score,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
            warm_start=warm_start,
            ccp_alpha=ccp_alpha,
            max_samples=max_samples,
            monotonic_cst=monotonic_cst,
        )
        self.device = device
        self.max_bins = max_bins


class GridSearchCV(OvertakeGrid, sklearn.model_selection.GridSearchCV):
    """:class:`sklearn.model_selection.GridSearchCV`: candidates, folds and trees of Overtake's forests as one batch.

    Parameters
    ----------
    estimator : estimator
        A forest of this module, or a Pipeline that ends in one, runs as a batch; any other as scikit-learn runs it.
    scoring, refit, cv, ... :
        As of scikit-learn.
    n_jobs : int, optional
        Threads of the CPU, as of the forests.
    journal : str, optional
        A file that keeps scores as they come: the same search continues from it (docs/journals.md).
    memory_limit : int, optional
        Bytes on the device.

    Attributes
    ----------
    overtake_result_ : SearchResult or None
        ``figures()`` and ``html()`` of the batch; None where scikit-learn or a Pipeline's batches ran.
    """

    def __init__(
        self,
        estimator: Any,
        param_grid: Any,
        *,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        error_score: Any = np.nan,
        return_train_score: bool = False,
        journal: str | None = None,
        memory_limit: int | None = None,
    ) -> None:
        super().__init__(
            estimator=estimator,
            param_grid=param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.journal = journal
        self.memory_limit = memory_limit


class RandomizedSearchCV(OvertakeRandom, sklearn.model_selection.RandomizedSearchCV):
    """:class:`sklearn.model_selection.RandomizedSearchCV`: candidates, folds and trees of Overtake's forests as one batch.

    Parameters
    ----------
    estimator : estimator
        A forest of this module, or a Pipeline that ends in one, runs as a batch; any other as scikit-learn runs it.
    scoring, refit, cv, ... :
        As of scikit-learn.
    n_jobs : int, optional
        Threads of the CPU, as of the forests.
    journal : str, optional
        A file that keeps scores as they come: the same search continues from it (docs/journals.md).
    memory_limit : int, optional
        Bytes on the device.

    Attributes
    ----------
    overtake_result_ : SearchResult or None
        ``figures()`` and ``html()`` of the batch; None where scikit-learn or a Pipeline's batches ran.
    """

    def __init__(
        self,
        estimator: Any,
        param_distributions: Any,
        *,
        n_iter: int = 10,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: Any = True,
        cv: Any = None,
        verbose: int = 0,
        pre_dispatch: Any = "2*n_jobs",
        random_state: Any = None,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        journal: str | None = None,
        memory_limit: int | None = None,
    ) -> None:
        super().__init__(
            estimator=estimator,
            param_distributions=param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.journal = journal
        self.memory_limit = memory_limit
