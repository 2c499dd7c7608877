# SPDX-License-Identifier: MIT
"""Columns of categories of pandas, polars and Arrow: as places among their categories, which is what forests understand.

Which places they get is the library's rule (overtake_data_set_categories): this only carries texts and codes.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from .._data import Array
from .._errors import UsageError

# Of each feature: the texts that the forest learned the places of; None: numbers.
Known = list[list[str] | None]


@dataclasses.dataclass
class Column:
    """A column of texts: `codes` are places among `names`, NaN where a cell is missing."""

    names: list[str]
    codes: Array
    ordered: bool


class Frame(Protocol):
    """A table of another library."""

    def labels(self) -> list[Any]: ...
    def is_categorical(self, place: int) -> bool:
        """Whether the column holds categories that are no numbers."""

    def is_text(self, place: int) -> bool: ...
    def is_missing(self, place: int) -> bool:
        """Whether no cell holds anything."""

    def column(self, place: int) -> Column: ...
    def replace(self, codes: dict[int, Array]) -> Any:
        """The table with numbers in place of some columns."""


class _Pandas:
    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def labels(self) -> list[Any]:
        return list(self._frame.columns)

    def is_categorical(self, place: int) -> bool:
        dtype = self._frame.dtypes.iloc[place]
        if hasattr(dtype, "pyarrow_dtype"):
            return str(dtype).startswith("dictionary<values=string")
        categories = getattr(dtype, "categories", None)
        # Intervals (pandas.cut) have a subtype and no numbers either.
        kind = getattr(getattr(categories, "dtype", None), "kind", "f")
        return categories is not None and kind not in "iufb"

    def is_text(self, place: int) -> bool:
        return str(self._frame.dtypes.iloc[place]).startswith(("object", "str", "large_string"))

    def is_missing(self, place: int) -> bool:
        return bool(self._frame.iloc[:, place].isna().all())

    def column(self, place: int) -> Column:
        values = self._frame.iloc[:, place]
        if not hasattr(values, "cat"):
            values = values.astype(object).astype("category")
        codes = values.cat.codes.to_numpy(dtype=np.float64, copy=True)
        codes[codes < 0] = np.nan
        return Column([str(name) for name in values.cat.categories], codes, bool(values.cat.ordered))

    def replace(self, codes: dict[int, Array]) -> Any:
        changed = self._frame.copy(deep=False)
        for place, values in codes.items():
            changed.isetitem(place, values)
        return changed


class _Polars:
    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def labels(self) -> list[Any]:
        return list(self._frame.columns)

    def is_categorical(self, place: int) -> bool:
        return str(self._frame.dtypes[place].base_type()) in ("Categorical", "Enum")

    def is_text(self, place: int) -> bool:
        return str(self._frame.dtypes[place]) == "String"

    def is_missing(self, place: int) -> bool:
        return bool(self._frame.to_series(place).null_count() == self._frame.height)

    def column(self, place: int) -> Column:
        import polars

        values = self._frame.to_series(place)
        ordered = str(values.dtype.base_type()) == "Enum"
        texts = values.cast(polars.String)
        names = values.dtype.categories.to_list() if ordered else texts.drop_nulls().unique().sort().to_list()
        places = list(range(len(names)))
        codes = texts.replace_strict(names, places, default=None, return_dtype=polars.Float64) if names else None
        empty = np.full(len(values), np.nan)
        return Column(names, empty if codes is None else codes.fill_null(np.nan).to_numpy(), ordered)

    def replace(self, codes: dict[int, Array]) -> Any:
        import polars

        changed = self._frame.clone()
        for place, values in codes.items():
            changed.replace_column(place, polars.Series(self._frame.columns[place], values))
        return changed


class _Arrow:
    def __init__(self, table: Any) -> None:
        import pyarrow

        self._table, self._types = table, pyarrow.types

    def labels(self) -> list[Any]:
        return list(self._table.column_names)

    def is_categorical(self, place: int) -> bool:
        kind = self._table.schema.field(place).type
        return self._types.is_dictionary(kind) and self._is_words(kind.value_type)

    def _is_words(self, kind: Any) -> bool:
        return bool(
            self._types.is_string(kind) or self._types.is_large_string(kind) or self._types.is_string_view(kind)
        )

    def is_text(self, place: int) -> bool:
        return self._is_words(self._table.schema.field(place).type)

    def is_missing(self, place: int) -> bool:
        return bool(self._table.column(place).null_count == self._table.num_rows)

    def column(self, place: int) -> Column:
        chunks = self._table.column(place)
        ordered = self._types.is_dictionary(chunks.type) and bool(chunks.type.ordered)
        # Of several chunks each may have a dictionary of its own.
        merged = chunks.unify_dictionaries() if self._types.is_dictionary(chunks.type) else chunks.dictionary_encode()
        if not merged.num_chunks:
            return Column([], np.empty(0), ordered)
        names = merged.chunk(0).dictionary.to_pylist()
        parts = [chunk.indices.cast("float64").to_numpy(zero_copy_only=False) for chunk in merged.chunks]
        codes = np.concatenate(parts)
        if None in names:  # a missing cell may be a place in the dictionary, too
            codes = places(Column(names, codes, ordered), [name for name in names if name is not None])
        return Column([name for name in names if name is not None], codes, ordered)

    def replace(self, codes: dict[int, Array]) -> Any:
        import pyarrow

        changed = self._table
        for place, values in codes.items():
            changed = changed.set_column(place, self._table.column_names[place], pyarrow.array(values))
        return changed


def _frame_of(values: Any) -> Frame | None:
    """`values` as a table whose columns may hold categories; None: it is none."""
    library = type(values).__module__.partition(".")[0]
    if library == "pandas" and hasattr(values, "dtypes") and hasattr(values, "columns"):
        return _Pandas(values)
    if library == "polars" and hasattr(values, "to_series"):
        return _Polars(values)
    if library == "pyarrow" and hasattr(values, "column_names"):
        return _Arrow(values)
    return None


@contextlib.contextmanager
def told_what_to_do(values: Any) -> Iterator[None]:
    """What scikit-learn says of a cell that is no number gets the name of its column, and a way out."""
    try:
        yield
    except ValueError as error:
        frame = _frame_of(values)
        if frame is None or not str(error).startswith("could not convert string"):
            raise
        text = [label for place, label in enumerate(frame.labels()) if frame.is_text(place)]
        raise UsageError(
            f"{error}: forests take numbers and categories, and columns hold text: {', '.join(map(repr, text))}",
            "Make categories of them (X[column].astype('category') in pandas), or encode them in a Pipeline.",
        ) from None


def to_learn(values: Any) -> tuple[Any, dict[int, Column]]:
    """A table to train on with codes in place of categories, and the columns they came from, by place."""
    frame = _frame_of(values)
    if frame is None:
        return values, {}
    labels = frame.labels()
    found = {place: frame.column(place) for place in range(len(labels)) if frame.is_categorical(place)}
    if not found:
        return values, found
    for place, column in found.items():
        if len(set(column.names)) < len(column.names):
            twice = next(name for name in column.names if column.names.count(name) > 1)
            raise UsageError(
                f"column {labels[place]!r} has two categories that are {twice!r} as text",
                "Give each category a text of its own.",
            )
    return frame.replace({place: column.codes for place, column in found.items()}), found


def places(column: Column, known: list[str]) -> Array:
    """The codes of a column as places among `known`; NaN for what is not there."""
    where = {name: float(place) for place, name in enumerate(known)}
    table = np.array([where.get(name, np.nan) for name in column.names] + [np.nan])
    codes = np.where(np.isnan(column.codes), len(column.names), column.codes)
    found: Array = table[codes.astype(np.intp)]
    return found


def to_predict(values: Any, known: Known, names: Any) -> Any:
    """A table with the places of its categories among those that the forest learned, column by column; `names` are those of the
    features, None where they have none.

    Raises
    ------
    UsageError
        For a column of numbers where the forest learned categories, and the other way round.
    """
    frame = _frame_of(values)
    if frame is None:
        return values
    labels = frame.labels()
    if len(labels) != len(known or labels) or (names is not None and list(names) != labels):
        return values  # scikit-learn says what is wrong
    codes = {}
    for place, label in enumerate(labels):
        learned = known[place] if known else None
        if learned is None:
            if frame.is_categorical(place):
                raise UsageError(f"column {label!r} holds categories, and the forest learned numbers")
        elif frame.is_categorical(place) or frame.is_text(place):
            codes[place] = places(frame.column(place), learned)
        elif frame.is_missing(place):
            codes[place] = np.full(len(values), np.nan)
        else:
            raise UsageError(
                f"column {label!r} holds numbers, and the forest learned the categories {', '.join(learned[:3])}, ...",
                "Give the column as it was given to fit.",
            )
    return frame.replace(codes) if codes else values
