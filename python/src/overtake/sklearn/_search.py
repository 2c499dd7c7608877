# SPDX-License-Identifier: MIT
"""scikit-learn's searches: forests of Overtake run as one batch, any other estimator as scikit-learn runs it."""

from __future__ import annotations

import abc
import contextlib
import time
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import ParameterGrid, ParameterSampler, check_cv
from sklearn.model_selection._validation import _insert_error_scores, _warn_or_raise_about_fit_failures
from sklearn.utils import indexable
from sklearn.utils.validation import _check_method_params

from .._calls import threads
from .._errors import UsageError
from .._machine import framed
from .._progress import bar
from .._search import SearchResult
from ._batch import Task, Unbatched, checked_folds, parts_of, refuse_overrides, run_batches
from ._ran import note
from ._threads import threads_of

# What scikit-learn's search asks of itself.
_LOOP = {"_run_search", "_format_results", "_select_best_index", "_get_scorers", "_candidates", "_fit_batch"}


class OvertakeSearch(metaclass=abc.ABCMeta):
    """What both searches share: stands before scikit-learn's class in the order of resolution."""

    estimator: Any
    scoring: Any
    refit: Any
    cv: Any
    n_jobs: int | None
    verbose: int
    error_score: Any
    return_train_score: bool
    journal: str | None = None
    memory_limit: int | None = None
    _falls_back = False  # whether scikit-learn's loop runs what the library refuses

    def fit(self, X: Any, y: Any = None, **params: Any) -> Any:
        """Try all candidates on all folds and train the best on all rows.

        Forests of Overtake, alone or as the last step of a Pipeline, run as one batch; Ctrl-C ends it with what is scored by
        then. Any other estimator, and what a batch cannot do, runs as scikit-learn runs it.

        Returns
        -------
        self
        """
        self.overtake_result_: SearchResult | None = None
        try:
            if hasattr(self, "_skl_callbacks"):
                raise Unbatched("callbacks")
            refuse_overrides(type(self), _LOOP)
            parts_of(self.estimator)
            self._fit_batch(X, y, params)
        except UsageError as error:
            if not self._falls_back:
                raise
            note(self, error.message)
            return super().fit(X, y, **params)  # type: ignore[misc]
        except Unbatched as reason:
            if self.journal is not None:
                raise UsageError(
                    f"journal: this search does not run as a batch of Overtake ({reason}), and scikit-learn keeps no journal",
                    "Leave journal out.",
                ) from None
            note(self, str(reason))
            return super().fit(X, y, **params)  # type: ignore[misc]
        note(self)
        return self

    def _fit_batch(self, X: Any, y: Any, params: dict[str, Any]) -> None:
        """The order of scikit-learn's BaseSearchCV.fit()."""
        mine: Any = self
        if y is None:
            raise Unbatched("no y")
        mine._validate_params()
        scorers, refit_metric = mine._get_scorers()
        X, y = indexable(X, y)
        params = _check_method_params(X, params=params)
        routed = mine._get_routed_params_for_fit(params)
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        mine._checked_cv_orig = splitter
        splits = list(splitter.split(X, y, **routed.splitter.split))
        self.n_splits_ = splitter.get_n_splits(X, y, **routed.splitter.split)
        candidates = list(self._candidates())
        if len(splits) != self.n_splits_ or not splits or not candidates:
            raise Unbatched("scikit-learn says what is wrong")
        task = Task(
            estimator=self.estimator,
            candidates=candidates,
            X=X,
            y=y,
            folds=checked_folds(splits),
            fit_params={name: value for name, value in routed.estimator.fit.items() if value is not None},
            score_params=routed.scorer.score,
            scorers=scorers,
            scoring=self.scoring,
            error_score=self.error_score,
            train_scores=self.return_train_score,
            settings=self._settings(),
            refit=self.refit,
        )
        if self.verbose > 0:
            print(
                f"Fitting {self.n_splits_} folds for each of {len(candidates)} candidates, "
                f"totalling {self.n_splits_ * len(candidates)} fits"
            )
        with threads(threads_of(self.n_jobs)), bar(type(self).__name__, self.verbose > 0 or None) as task.observer:
            out = run_batches(task)
        if task.failures and self._falls_back:
            raise Unbatched(next(iter(task.failures.values())))
        if task.failures and self.error_score == "raise":
            place, reason = min(task.failures.items())
            raise UsageError(f"{candidates[place]}: {reason}")
        _warn_or_raise_about_fit_failures(out, self.error_score)
        if callable(self.scoring):
            _insert_error_scores(out, self.error_score)
        with _quiet_about_gaps(task.interrupted):
            results = mine._format_results(candidates, self.n_splits_, out, {})
        self.overtake_result_ = task.result
        if task.interrupted:
            self._tell_interruption(results)
        self._finish(out, results, (scorers, refit_metric), X, y, routed.estimator.fit)

    @abc.abstractmethod
    def _candidates(self) -> Any:
        """What is tried, in scikit-learn's order."""

    def _settings(self) -> dict[str, Any]:
        given = {"journal": self.journal, "memory_limit": self.memory_limit}
        return {name: value for name, value in given.items() if value is not None}

    def _tell_interruption(self, results: dict[str, Any]) -> None:
        scored = next(values for name, values in results.items() if name.startswith("mean_test_"))
        done = int(np.isfinite(scored).sum())
        if not done:
            raise KeyboardInterrupt
        warnings.warn(f"interrupted: {done} of {len(scored)} candidates are scored, the others are NaN", stacklevel=5)

    def _finish(
        self, out: Any, results: dict[str, Any], scoring: tuple[Any, Any], X: Any, y: Any, fit_params: dict[str, Any]
    ) -> None:
        """Choose and train the best, and set scikit-learn's attributes."""
        mine: Any = self
        scorers, refit_metric = scoring
        self.multimetric_ = isinstance(out[0]["test_scores"], dict)
        if callable(self.scoring) and self.multimetric_:
            mine._check_refit_for_multimetric(out[0]["test_scores"])
            refit_metric = self.refit
        if self.refit or not self.multimetric_:
            self.best_index_ = mine._select_best_index(self.refit, refit_metric, results)
            if not callable(self.refit):
                self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
            self.best_params_ = results["params"][self.best_index_]
        if self.refit:
            self.best_estimator_ = clone(self.estimator).set_params(**clone(self.best_params_, safe=False))
            began = time.time()
            self.best_estimator_.fit(X, y, **fit_params)
            self.refit_time_ = time.time() - began
            if hasattr(self.best_estimator_, "feature_names_in_"):
                self.feature_names_in_ = self.best_estimator_.feature_names_in_
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        self.cv_results_ = results

    def _report(self) -> str | None:
        """The batch's report, where its best is this search's: the library ranks by its own metrics alone."""
        found: SearchResult | None = getattr(self, "overtake_result_", None)
        if found is None or not hasattr(self, "best_index_") or callable(self.refit):
            return None
        if found.figures().get("best_index_") != self.best_index_:
            return None
        return framed(found.html(type(self).__name__))

    def _repr_html_(self) -> str:
        report = self._report()
        if report is not None:
            return report
        shown: str = super()._repr_html_()  # type: ignore[misc]
        return shown

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """What notebooks ask first; scikit-learn's own answer is its diagram."""
        report = self._report()
        if report is not None:
            return {"text/plain": repr(self), "text/html": report}
        shown: dict[str, Any] = super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        return shown


@contextlib.contextmanager
def _quiet_about_gaps(interrupted: bool) -> Iterator[None]:
    with warnings.catch_warnings():
        if interrupted:
            warnings.filterwarnings("ignore", message="One or more of the")
        yield


class OvertakeGrid(OvertakeSearch):
    """Every combination."""

    param_grid: Any

    def _candidates(self) -> Any:
        return ParameterGrid(self.param_grid)


class OvertakeRandom(OvertakeSearch):
    """Random draws."""

    param_distributions: Any
    n_iter: int
    random_state: Any

    def _candidates(self) -> Any:
        state = self.random_state
        return ParameterSampler(self.param_distributions, self.n_iter, random_state=state)
