# SPDX-License-Identifier: MIT
"""Candidates and folds of scikit-learn's searches as batches of the library."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse, vstack
from sklearn.base import clone
from sklearn.model_selection._validation import _score
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params, _check_sample_weight

from .._calls import Observer
from .._data import Array
from .._model import Model, train_forest
from .._search import SearchResult, search
from ._forests import CORE_PARAMETERS, OvertakeForest, named_weights

# What a candidate may set of a forest; verbose and n_jobs change no score.
_ALLOWED = {*CORE_PARAMETERS, "class_weight", "random_state", "max_bins"} - {"warm_start"}
_WITHOUT_EFFECT = {"verbose", "n_jobs", "oob_score"}

# What scikit-learn's loop asks of a forest.
_COMPUTES = {
    "fit", "predict", "predict_proba", "predict_log_proba", "score", "decision_function", "_validate_X_predict",
    "core_parameters", "_checked_data",
}  # fmt: skip

# Scorers of scikit-learn that the library computes by the same formula and name.
_OF_CLASSES = {
    "accuracy", "balanced_accuracy", "f1_macro", "f1_micro", "f1_weighted", "precision_macro", "recall_macro",
    "roc_auc_ovr", "neg_log_loss",
}  # fmt: skip
_OF_TWO_CLASSES = {"f1", "precision", "recall", "roc_auc"}
_OF_NUMBERS = {
    "r2", "neg_mean_squared_error", "neg_root_mean_squared_error", "neg_mean_absolute_error",
}  # fmt: skip

Fold = tuple[Array, Array]


class Unbatched(Exception):
    """Why a search cannot run as a batch: scikit-learn's own loop runs it."""


@dataclasses.dataclass
class Task:
    """A search as scikit-learn states it."""

    estimator: Any
    candidates: list[dict[str, Any]]
    X: Any
    y: Any
    folds: list[Fold]
    fit_params: dict[str, Any]
    score_params: dict[str, Any]
    scorers: Any
    scoring: Any
    error_score: Any
    train_scores: bool
    settings: dict[str, Any]
    refit: Any = True
    observer: Observer | None = None
    interrupted: bool = False
    result: SearchResult | None = None
    failures: dict[int, str] = dataclasses.field(default_factory=dict)


def refuse_overrides(kind: type, names: set[str]) -> None:
    """A batch asks no method of a class that somebody derived from ours."""
    for part in kind.__mro__:
        if part.__module__.startswith("overtake."):
            return
        for name in sorted(names & vars(part).keys()):
            raise Unbatched(f"{part.__name__} has a {name} of its own")


def _checked_forest(forest: OvertakeForest) -> OvertakeForest:
    refuse_overrides(type(forest), _COMPUTES)
    return forest


def parts_of(estimator: Any) -> tuple[Any, str, OvertakeForest]:
    """What comes before the forest (None: nothing), the beginning of its parameters' names, and the forest."""
    if isinstance(estimator, OvertakeForest):
        return None, "", _checked_forest(estimator)
    if type(estimator) is Pipeline and isinstance(estimator.steps[-1][1], OvertakeForest):
        name, forest = estimator.steps[-1]
        return estimator, name + "__", _checked_forest(forest)
    raise Unbatched(f"{type(estimator).__name__} is scikit-learn's")


def checked_folds(splits: Sequence[Fold]) -> list[Fold]:
    """Row indices as the library takes them."""
    folds = []
    for split in splits:
        fold = []
        for rows in split:
            indices = np.asarray(rows)
            if indices.dtype == bool:
                indices = np.flatnonzero(indices)
            if not len(indices) or indices.min() < 0:
                raise Unbatched("a fold is empty, or counts rows from the end")
            ordered = np.unique(indices).astype(np.int32)
            if len(ordered) != len(indices):
                raise Unbatched("a fold has a row twice")
            fold.append(ordered)
        folds.append((fold[0], fold[1]))
    return folds


def core_metrics(scoring: Any, classes: Array | None) -> dict[str, str] | None:
    """The library's metric of each score; None where it has not all of them."""
    known = _OF_NUMBERS
    if classes is not None:
        known = _OF_CLASSES
        if len(classes) == 2 and classes.dtype.kind in "iub" and list(classes) == [0, 1]:
            known = _OF_CLASSES | _OF_TWO_CLASSES
    if scoring is None:
        scoring = "accuracy" if classes is not None else "r2"
    if isinstance(scoring, str):
        named = {"score": scoring}
    elif isinstance(scoring, dict):
        named = scoring
    elif isinstance(scoring, (list, tuple, set)):
        named = {name: name for name in scoring}
    else:
        return None
    fits = all(isinstance(metric, str) and metric in known for metric in named.values())
    return named if fits else None


@contextlib.contextmanager
def _unbatched_where_refused() -> Iterator[None]:
    """What scikit-learn reports fold by fold is reported by its own loop."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise Unbatched(f"the data are refused: {error}") from None


def run_batches(task: Task) -> list[dict[str, Any]]:
    """The result of each candidate on each fold, candidates first, as scikit-learn's _fit_and_score() gives them."""
    pipeline, prefix, forest = parts_of(task.estimator)
    weights = task.fit_params.get(prefix + "sample_weight")
    if set(task.fit_params) - {prefix + "sample_weight"}:
        raise Unbatched("fit takes more than sample_weight")
    if forest.warm_start:
        raise Unbatched("warm_start")
    if pipeline is None:
        return _Batch(task, forest, "", task.candidates, range(len(task.folds))).run(weights)
    if task.settings.get("journal"):
        raise Unbatched("a journal of a pipeline")
    last = prefix.removesuffix("__")
    for candidate in task.candidates:
        if candidate.keys() & {last, "steps"}:
            raise Unbatched("a candidate sets the last step as a whole")
    results: list[dict[str, Any]] = [{}] * (len(task.candidates) * len(task.folds))
    for places, before in _groups(task.candidates, prefix):
        candidates = [task.candidates[place] for place in places]
        for fold in range(len(task.folds)):
            # Ctrl-C: nothing more begins.
            if task.interrupted:
                for place in places:
                    results[place * len(task.folds) + fold] = _unscored(task)
                continue
            steps = _FittedSteps(task, pipeline, before, fold)
            batch = _Batch(task, forest, prefix, candidates, [fold], steps)
            for place, result in zip(places, batch.run(weights, places), strict=True):
                results[place * len(task.folds) + fold] = result
    return results


def _gap(task: Task, value: Any) -> Any:
    """`value` as scores, one for each scorer where there are several."""
    scorers = getattr(task.scorers, "_scorers", None)
    return dict.fromkeys(scorers, value) if scorers is not None else value


def _empty(seconds: float, reason: str | None) -> dict[str, Any]:
    """A result without scores yet."""
    return {"fit_time": seconds, "score_time": 0.0, "n_test_samples": 0, "fit_error": reason}


def _unscored(task: Task) -> dict[str, Any]:
    """The result of a fit that never began."""
    gap = _gap(task, np.nan)
    return {**_empty(0.0, None), "test_scores": gap, **({"train_scores": gap} if task.train_scores else {})}


def _groups(candidates: list[dict[str, Any]], prefix: str) -> list[tuple[list[int], dict[str, Any]]]:
    """Candidates that set the steps before the forest alike: their places, and what they set."""
    groups: list[tuple[list[int], dict[str, Any]]] = []
    for place, candidate in enumerate(candidates):
        before = {name: value for name, value in candidate.items() if not name.startswith(prefix)}
        for places, others in groups:
            if others.keys() == before.keys() and all(_equal(others[name], before[name]) for name in before):
                places.append(place)
                break
        else:
            groups.append(([place], before))
    return groups


def _equal(a: object, b: object) -> bool:
    """Whether two values are surely the same; a step that is tried twice is only slower."""
    return a is b or (type(a) is type(b) and isinstance(a, (int, float, str)) and a == b)


class _FittedSteps:
    """The steps before the forest, fitted on a fold's rows to train on, and the table that they make of the fold: the rows to
    train on, then those to score.
    """

    def __init__(self, task: Task, pipeline: Any, before: dict[str, Any], fold: int) -> None:
        train, test = task.folds[fold]
        self.steps = clone(pipeline).set_params(**clone(before, safe=False))[:-1]
        rows, answers = _safe_indexing(task.X, train), _safe_indexing(task.y, train)
        with _unbatched_where_refused():
            learned = self.steps.fit_transform(rows, answers)
            # TargetEncoder, say, makes other numbers of the rows that it is fitted on than it does later.
            if task.train_scores and not _same(learned, self.steps.transform(rows)):
                raise Unbatched("the steps before the forest transform rows to train on in another way")
            self.table = _stacked(learned, self.steps.transform(_safe_indexing(task.X, test)))
        self.rows = np.concatenate([train, test])
        self.fold = (np.arange(len(train), dtype=np.int32), np.arange(len(train), len(self.rows), dtype=np.int32))


def _same(a: Any, b: Any) -> bool:
    """Whether two tables are surely equal."""
    if issparse(a):
        return bool(a.shape == b.shape and (a != b).nnz == 0)
    first, second = np.asarray(a), np.asarray(b)
    return np.array_equal(first, second, equal_nan=first.dtype.kind == "f" and second.dtype.kind == "f")


def _stacked(a: Any, b: Any) -> Any:
    """Two tables of a kind as one."""
    if issparse(a):
        return vstack([a, b], format="csr")
    library = type(a).__module__.partition(".")[0]
    if library in ("pandas", "polars"):
        return importlib.import_module(library).concat([a, b])
    return np.concatenate([np.asarray(a), np.asarray(b)])


class _Batch:
    """One call of the library: candidates on folds of one table."""

    def __init__(
        self,
        task: Task,
        forest: OvertakeForest,
        prefix: str,
        candidates: list[dict[str, Any]],
        folds: Sequence[int],
        steps: _FittedSteps | None = None,
    ) -> None:
        self.task, self.forest, self.prefix, self.folds, self.steps = task, forest, prefix, folds, steps
        self.given = candidates
        self.seconds = 0.0

    def run(self, weights: Any, places: Sequence[int] | None = None) -> list[dict[str, Any]]:
        """The results of the candidates on the folds, candidates first."""
        task = self.task
        self.probe = clone(self.forest)
        with _unbatched_where_refused():
            self.forest._refuse_unsupported()
            X, y = task.X, task.y
            self.rows = [task.folds[fold] for fold in self.folds]
            if self.steps is not None:
                X, y, self.rows = self.steps.table, _safe_indexing(y, self.steps.rows), [self.steps.fold]
                weights = None if weights is None else _safe_indexing(weights, self.steps.rows)
            self.inputs, self.answers = self.probe._checked_data(X, y)
            if weights is not None:
                weights = _check_sample_weight(weights, self.inputs, dtype=np.float32)
            self.weights = weights
            self.data = self.probe._training_data(self.inputs, self.answers, weights)
            self.asked = self.probe._checked_inputs(X) if self.probe.categories_ else self.inputs
        self.classes = getattr(self.probe, "classes_", None)
        self.fixed = {**self.probe.core_parameters(), "random_state": self.probe._draw_seed()}
        del self.fixed["warm_start"], self.fixed["oob_score"]
        self.candidates = [self._core_candidate(candidate) for candidate in self.given]
        varied = set().union(*self.candidates) & self.fixed.keys()
        own = {name: self.fixed[name] for name in varied}
        self.candidates = [{**own, **candidate} for candidate in self.candidates]
        self.shared = {name: self.fixed[name] for name in self.fixed.keys() - varied - {"random_state"}}
        metrics = None if task.score_params else core_metrics(task.scoring, self.classes)
        self._refuse_folds_without_a_class()
        settings = self._settings(metrics)
        folds = self.rows
        began = time.perf_counter()
        try:
            found, stopped = search(self.data, self.candidates, folds, settings, task.observer)
        except TypeError as error:
            if type(error) is not TypeError:
                raise
            raise Unbatched(str(error)) from None
        self.seconds = (time.perf_counter() - began) / (len(self.candidates) * len(folds))
        task.interrupted = task.interrupted or stopped
        if self.steps is None:
            task.result = found
        failures = (
            {f["candidate"]: f["reason"] for f in found.figures()["failures"]} if self._has_gaps(found, metrics) else {}
        )
        for place, reason in failures.items():
            task.failures[places[place] if places is not None else place] = reason
        return self._scored_here(found, failures) if metrics is None else self._scored(found, failures, metrics)

    def _refuse_folds_without_a_class(self) -> None:
        """scikit-learn's forest of a fold knows no class that it did not see, and scores say so; the library's knows all."""
        if self.classes is None:
            return
        for train, _ in self.rows:
            if len(np.unique(self.answers[train])) < len(self.classes):
                raise Unbatched("a fold trains without one of the classes")

    def _core_candidate(self, candidate: dict[str, Any]) -> dict[str, Any]:
        """The library's parameters of a candidate."""
        given = {}
        for name, value in candidate.items():
            if self.prefix and not name.startswith(self.prefix):
                continue
            own = name[len(self.prefix) :]
            if own in _WITHOUT_EFFECT:
                continue
            if own not in _ALLOWED:
                raise Unbatched(f"a candidate sets {own}")
            if own == "random_state" and not isinstance(value, (int, np.integer)):
                raise Unbatched("random_state of a candidate is no number")
            if own == "max_bins" and value is None:
                continue
            given[own] = named_weights(value, self.classes) if own == "class_weight" else value
        return given

    def _settings(self, metrics: dict[str, str] | None) -> dict[str, Any]:
        settings = {
            "estimator": self.forest._kind,
            "fixed": self.shared,
            "seed": self.fixed["random_state"],
            "refit": False,
            "invalid_candidates_fail": True,
            "train_scores": self.task.train_scores and metrics is not None,
            "predictions": metrics is None,
            **self.task.settings,
        }
        if metrics is not None:
            # The report ranks by the first.
            first = (
                [metrics[self.task.refit]] if isinstance(self.task.refit, str) and self.task.refit in metrics else []
            )
            settings["scoring"] = list(dict.fromkeys([*first, *metrics.values()]))
        if self.forest.device is not None:
            settings["device"] = self.forest.device
        return settings

    def _has_gaps(self, found: SearchResult, metrics: dict[str, str] | None) -> bool:
        if metrics is None:
            return any(not len(found.predictions(candidate, 0)) for candidate in range(len(self.candidates)))
        return bool(np.isnan(found.scores(next(iter(metrics.values())))).any())

    def _scored(self, found: SearchResult, failures: dict[int, str], metrics: dict[str, str]) -> list[dict[str, Any]]:
        """Results with the library's scores."""
        single = list(metrics) == ["score"] and not isinstance(self.task.scoring, dict)
        sides = [("test_scores", False)] + ([("train_scores", True)] if self.task.train_scores else [])
        tables = {side: {name: found.scores(metric, of) for name, metric in metrics.items()} for side, of in sides}
        results = []
        for candidate in range(len(self.candidates)):
            reason = failures.get(candidate)
            for fold in range(len(self.folds)):
                result = _empty(self.seconds, reason)
                for side, table in tables.items():
                    scores = {
                        name: self.task.error_score if reason is not None else float(values[candidate, fold])
                        for name, values in table.items()
                    }
                    result[side] = scores["score"] if single else scores
                results.append(result)
        return results

    def _scored_here(self, found: SearchResult, failures: dict[int, str]) -> list[dict[str, Any]]:
        """Results that Python's scorers give to the library's predictions."""
        results = []
        multi = hasattr(self.task.scorers, "_scorers")
        error = self.task.error_score
        missing = _gap(self.task, error)
        for candidate in range(len(self.candidates)):
            reason = failures.get(candidate)
            for fold in range(len(self.folds)):
                result = _empty(self.seconds, reason)
                if reason is not None or not len(found.predictions(candidate, fold)):
                    gap = missing if reason is not None or not multi else dict.fromkeys(missing, np.nan)
                    result.update(test_scores=gap, **({"train_scores": gap} if self.task.train_scores else {}))
                else:
                    result.update(self._scores_of(found, candidate, fold))
                results.append(result)
        return results

    def _scores_of(self, found: SearchResult, candidate: int, fold: int) -> dict[str, Any]:
        task = self.task
        train, test = task.folds[self.folds[fold]]
        estimator = self._predictor(found, candidate, fold)
        scores: dict[str, Any] = {}
        for side, rows in (("test_scores", test), ("train_scores", train))[: 2 if task.train_scores else 1]:
            X, y = _safe_split(estimator, task.X, task.y, rows)
            params = _check_method_params(task.X, params=task.score_params, indices=rows)
            began = time.perf_counter()
            scores[side] = _score(estimator, X, y, task.scorers, params, task.error_score)
            scores.setdefault("score_time", time.perf_counter() - began)
        return scores

    def _predictor(self, found: SearchResult, candidate: int, fold: int) -> Any:
        """The candidate's forest as scorers see it: it answers what the library predicted already."""
        train, test = self.rows[fold]
        columns = 1 if self.classes is None else len(self.classes)
        held = [(test, found.predictions(candidate, fold))]
        given = {**self.fixed, **self.candidates[candidate]}
        settings = {} if self.forest.device is None else {"device": self.forest.device}

        def train_it() -> Model:
            weights = None if self.weights is None else self.weights[train]
            part = copy.copy(self.probe)._training_data(self.inputs[train], self.answers[train], weights)
            return train_forest(self.forest._kind, given, part, settings)

        mine = {
            name[len(self.prefix) :]: value
            for name, value in self.given[candidate].items()
            if name.startswith(self.prefix)
        }
        forest = clone(self.forest).set_params(**clone(mine, safe=False))
        forest.__dict__.update({name: value for name, value in vars(self.probe).items() if name.endswith("_")})
        forest.n_outputs_ = 1
        answers = [(self.asked[rows], shares.reshape(len(rows), columns)) for rows, shares in held]
        forest.__dict__["model_"] = _HeldModel(answers, train_it)
        if self.steps is None:
            return forest
        return Pipeline([*self.steps.steps.steps, (self.task.estimator.steps[-1][0], forest)])


class _HeldModel:
    """Answers that are known already; whatever else is asked for comes from a model that is trained then."""

    def __init__(self, held: list[tuple[Array, Array]], train: Callable[[], Model]) -> None:
        self._held, self._train = held, train

    def _known(self, inputs: Array) -> Array | None:
        for rows, answers in self._held:
            if rows.shape == inputs.shape and np.array_equal(rows, inputs, equal_nan=True):
                known: Array = answers.copy()
                return known
        return None

    def predict(self, inputs: Array) -> Array:
        known = self._known(inputs)
        return known if known is not None else self._trained().predict(inputs)

    def predict_classes(self, inputs: Array) -> Array:
        known = self._known(inputs)
        return np.argmax(known, axis=1) if known is not None else self._trained().predict_classes(inputs)

    def _trained(self) -> Model:
        if "_model" not in self.__dict__:
            self._model = self._train()
        return self._model

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "_model":
            raise AttributeError(name)
        found: Any = getattr(self._trained(), name)
        return found
