# SPDX-License-Identifier: MIT
"""What forests and searches refuse: the right exit code, the nearest name, accepted values, nothing left behind."""
import itertools

from search_support import SearchTest
from support import IRIS, main

FOREST = ("train", IRIS, "--target", "species", "--estimator", "random-forest")
SEARCH = ("search", IRIS, "--target", "species")


class Usage(SearchTest):
    def test_unknown_names(self):
        self.fails(2, *FOREST, "--max-dept", "3", says=("--max-depth",))
        self.fails(2, *FOREST, "--set", "max_dept=3", says=("max_dept", "Did you mean max_depth?", "min_samples_leaf"))
        self.fails(2, *SEARCH, "--grid", "n_estimator=3", says=("Did you mean n_estimators?",))
        self.fails(2, *SEARCH, "--random", "3", "--param", "n_jobs=int(1,2)", says=("n_jobs", "all cores"))
        self.fails(2, "train", IRIS, "--target", "species", "--estimator", "random-forrest", says=("network", '"random-forest"'))
        self.fails(2, *SEARCH, "--estimator", "extra-tree", "--grid", "max_depth=1", says=('"extra-trees"',))
        self.fails(2, *SEARCH, "--grid", "max_depth=1", "--scoring", "acuracy", says=("acuracy", "did you mean accuracy"))
        self.fails(2, *SEARCH, "--grid", "max_depth=1", "--cv-kind", "stratify", says=("stratified", "time-series"))
        self.fails(2, "serach", says=('"search"',))

    def test_values(self):
        for value in ("max_depth=0", "max_depth=2.5", "n_estimators=0", "min_samples_split=1", "min_samples_leaf=1.0",
                      "max_features=0", "max_features=auto", "criterion=absolute_error", "criterion=ginni", "bootstrap=maybe",
                      "ccp_alpha=-1", "max_bins=1", "max_bins=70000", "class_weight=heavy", "max_leaf_nodes=1",
                      "min_weight_fraction_leaf=0.6", "max_samples=0", "min_impurity_decrease=-0.1", "random_state=-1"):
            name = value.split("=")[0]
            self.fails(2, *SEARCH, "--grid", value, says=(name, "expected"))
            if name != "random_state":
                self.fails(2, *FOREST, "--" + value.replace("_", "-").replace("max-features=auto", "max-features=auto"), says=(name,))

    def test_values_that_do_not_go_together(self):
        self.fails(2, *FOREST, "--bootstrap", "false", "--oob-score", says=("oob_score", "bootstrap"))
        self.fails(2, *FOREST, "--bootstrap", "false", "--max-samples", "10", says=("max_samples", "bootstrap"))
        self.fails(2, *FOREST, "--criterion", "squared_error", says=("squared_error", "gini"))
        self.fails(2, *SEARCH, "--grid", "criterion=gini,poisson", says=("poisson",))
        self.fails(2, *SEARCH, "--grid", "max_depth=1", "--scoring", "r2", says=("r2",))
        self.fails(2, *SEARCH, "--grid", "max_depth=1", "--scoring", "accuracy", "--refit-by", "f1_macro", says=("--refit-by",))
        self.fails(2, *FOREST, "--set", "max_depth=3", "--max-depth", "3", says=("max_depth", "twice"))
        self.fails(2, *SEARCH, "--grid", "max_depth=3", "--set", "max_depth=3", says=("max_depth", "twice"))
        self.fails(2, *SEARCH, "--grid", "max_depth=3", "--grid", "max_depth=4", says=("max_depth", "twice"))

    def test_flags_of_the_other_estimator(self):
        for flag in ("--max-depth=3", "--oob-score", "--set=max_depth=3", "--sample-weight=sepal_width", "--export-text=x"):
            self.fails(2, "train", IRIS, "--target", "species", flag, says=(flag.split("=")[0], "forests", "--estimator"))
        for flag in ("--epochs=3", "--hidden=4", "--lr=0.1", "--validation=0.2", "--checkpoint=c", "--momentum=0.9"):
            self.fails(2, *FOREST, flag, says=(flag.split("=")[0], "network"))
        self.fails(2, *FOREST, "--tree", "1", says=("--tree",))
        self.fails(2, *FOREST, "--set", "random_state=1", says=("--seed",))

    def test_flags_that_do_not_go_together(self):
        grid = ("--grid", "max_depth=1,2")
        param = ("--param", "max_depth=int(1,2)")
        for flags, says in (((), ("--grid", "--random")), ((*grid, *param), ("--param",)), (param, ("--random",)),
                            ((*grid, "--random", "3"), ("--random",)), ((*param, "--random", "0"), ("--random",)),
                            ((*grid, "--cv-kind", "group"), ("--group",)), ((*grid, "--cv-kind", "predefined"), ("--fold",)),
                            ((*grid, "--test-size", "0.2"), ("holdout",)), ((*grid, "--cv-kind", "holdout", "--cv", "3"), ("--cv",)),
                            ((*grid, "--cv-kind", "k-fold", "--group", "sepal_width"), ("--group",)),
                            ((*grid, "--no-refit", "--save", "m"), ("--no-refit",)), ((*grid, "--top", "0"), ("--top",)),
                            ((*grid, "--threads", "-1"), ("--threads",)), ((*grid, "--group", "species"), ("target",)),
                            ((*grid, "--cv", "1"), ("at least 2",)), ((*grid, "--repeats", "0"), ("at least 1",)),
                            ((*grid, "--cv-kind", "holdout", "--test-size", "1.5"), ("1.5",)),
                            (("--grid", "max_depth"), ("max_depth", "name=value")), (("--grid", "max_depth=1,,2"), ("empty",)),
                            (("--random", "3", "--param", "max_depth=int(5,2)"), ("low end first",)),
                            (("--random", "3", "--param", "max_depth=itn(2,5)"), ("log-int",))):
            self.fails(2, *SEARCH, *flags, says=says)
        self.fails(2, *SEARCH, *grid, "--device", "gpu", says=("gpu",))
        self.fails(2, *SEARCH, *grid, "--group", "sepal_lenth", says=("sepal_length",))
        self.fails(2, *SEARCH, *grid, "--target", "specis")


class Roles(SearchTest):
    def test_no_column_has_two(self):
        rows = [f"{i % 7},{i % 4},{i % 3},{'ab'[i % 2]}" for i in range(40)]
        self.write("d.csv", "\n".join(["x,g,w,y", *rows]) + "\n")
        flags = {"target": "--target", "sample_weight": "--sample-weight", "group": "--group", "fold": "--fold", "ignored (--drop)": "--drop"}
        for one, other in itertools.combinations(flags, 2):
            if {one, other} == {"group", "fold"}:
                continue  # exclude each other, whatever they name
            given = [] if one == "target" else ["--target", "y"]
            command = ("d.csv", flags[one], "w", flags[other], "w", *given)
            says = ("column w cannot be", one, other, "at once")
            self.fails(2, "search", *command, "--grid", "max_depth=1,2", "--save", "m", says=says)
            self.fails(2, "search", *command, "--grid", "max_depth=1,2", "--plan", says=says)
            if not {one, other} & {"group", "fold"}:
                self.fails(2, "train", *command, "--estimator", "random-forest", "--save", "m", says=says)
        self.overtake("search", "d.csv", "--target", "y", "--sample-weight", "w", "--group", "g", "--drop", "x,x", "--grid", "max_depth=1,2",
                      "--cv", "2", expect=3)  # no feature is left, and no flag is wrong


class Data(SearchTest):
    grid = ("--grid", "max_depth=1,2", "--set", "n_estimators=3")

    def search_fails(self, content, *says, flags=(), code=3):
        self.write("d.csv", content)
        self.fails(code, "search", "d.csv", "--target", "y", *self.grid, "--journal", "s.db", "--save", "m", *flags, says=says)
        self.fails(code, "train", "d.csv", "--target", "y", "--estimator", "extra-trees", "--save", "m",
                   *(f for f in flags if f not in ("--group", "--fold", "g")), says=says if "g" not in flags else ())

    def test_targets(self):
        rows = [f"{i},{i % 3},{'ab'[i % 2]}" for i in range(30)]
        self.search_fails("\n".join(["x,g,y", *rows, "1,1,"]) + "\n", "line 32", "target")
        self.search_fails("\n".join(["x,g,y", *rows, "inf,1,a"]) + "\n", "line 32", "finite")
        self.search_fails("x,g,y\n", "d.csv")
        self.search_fails("\n".join(["x,g,y", "1,1"]) + "\n", "line 2")

    def search_only_fails(self, content, *flags, says=(), code=3):
        self.write("d.csv", content)
        self.fails(code, "search", "d.csv", "--target", "y", *self.grid, "--journal", "s.db", *flags, says=says)

    def test_columns_with_a_meaning(self):
        def table(cell):
            return "\n".join(["x,g,y"] + [f"{i},{i % 4},{'ab'[i % 2]}" for i in range(30)] + [f"1,{cell},a"]) + "\n"

        self.search_only_fails(table(""), "--group", "g", says=("line 32", "column 2 (g)"))
        self.search_only_fails(table(""), "--fold", "g", says=("line 32", "column 2 (g)"))
        # A fold may have any name, as scikit-learn's PredefinedSplit takes any number; -1 is none.
        self.write("d.csv", table("left"))
        out, _ = self.overtake("search", "d.csv", "--target", "y", *self.grid, "--fold", "g")
        self.assertIn("5 folds", out)
        self.search_only_fails(table("-2"), "--sample-weight", "g", says=("line 32", "-2"))
        self.search_only_fails(table("inf"), "--sample-weight", "g", says=("line 32", "inf"))
        self.search_only_fails(table("1"), "--group", "g", "--cv", "9", says=("9",))
        self.search_only_fails(table("1"), "--sample-weight", "y", says=("target",), code=2)

    def test_more_folds_than_rows_of_any_class(self):
        content = "x,y\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(6))
        self.search_only_fails(content, says=("folds",))

    def test_outputs_that_cannot_be_written(self):
        for flag in ("--save", "--report", "--json", "--journal"):
            self.fails(3, *SEARCH, *self.grid, flag, "no/such/file", says=("no/such/file",))
        for flag in ("--save", "--export-text", "--export-dot", "--json"):
            self.fails(3, *FOREST, flag, "no/such/file", says=("no/such/file",))


class Models(SearchTest):
    def setUp(self):
        super().setUp()
        self.overtake(*FOREST, "--n-estimators", "4", "--save", "m")
        self.whole = (self.folder / "m").read_bytes()

    def test_damaged_files(self):
        for length in (0, 7, 60, len(self.whole) // 2, len(self.whole) - 1):
            self.write("bad", self.whole[:length])
            self.fails(3, "predict", "bad", IRIS, "--out", "p.csv", says=("bad",))
        for place in (3, 9, 200, len(self.whole) // 2, len(self.whole) - 1):
            changed = bytearray(self.whole)
            changed[place] ^= 0x41
            self.write("bad", bytes(changed))
            self.fails(3, "predict", "bad", IRIS, "--out", "p.csv", says=("bad",))
            self.fails(3, *FOREST, "--n-estimators", "9", "--more-trees", "bad", says=("bad",))
        self.fails(3, "predict", "nothing", IRIS, "--out", "p.csv", says=("nothing",))
        self.overtake("predict", "m", IRIS, "--out", "p.csv")

    def test_data_of_another_kind(self):
        self.write("names.csv", "sepal_length,sepal_width,petal_lenght,petal_width\n1,2,3,4\n")
        self.fails(3, "predict", "m", "names.csv", "--out", "p.csv", says=("petal_length", "petal_lenght"))
        self.write("few.csv", "sepal_length,sepal_width\n1,2\n")
        self.fails(3, "predict", "m", "few.csv", "--out", "p.csv", says=("petal_length",))
        self.write("text.csv", "sepal_length,sepal_width,petal_length,petal_width\n1,2,long,4\n")
        self.fails(3, "predict", "m", "text.csv", "--out", "p.csv", says=("line 2", "long"))
        self.write("class.csv", "sepal_length,sepal_width,petal_length,petal_width,species\n1,2,3,4,rose\n")
        self.fails(3, "predict", "m", "class.csv", "--out", "p.csv", says=("line 2", "rose"))

    def test_flags_of_the_other_kind(self):
        self.fails(2, "predict", "m", IRIS, "--out", "p.csv", "--device", "null", says=("--device null",))
        self.overtake("train", IRIS, "--target", "species", "--epochs", "1", "--device", "cpu", "--save", "network")
        self.fails(2, "predict", "network", IRIS, "--out", "p.csv", "--apply", says=("--apply",))
        self.fails(3, *FOREST, "--n-estimators", "9", "--more-trees", "network", says=("network", "forest"))
        self.fails(2, "train", IRIS, "--target", "species", "--estimator", "extra-trees", "--n-estimators", "9", "--more-trees", "m",
                   says=("random-forest",))


if __name__ == "__main__":
    main()
