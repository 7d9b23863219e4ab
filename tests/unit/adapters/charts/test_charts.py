"""Every chart: repeatable bytes, words people can read, and something to say when empty."""

from __future__ import annotations

import threading
from functools import cache
from typing import Literal
from xml.etree import ElementTree as ET

import pytest

from adapters.charts import PLOTS, compare, render
from core.errors import InvalidInput
from tests.unit.adapters.charts.made_figures import clusters, data_for, metrics

PNG = b"\x89PNG\r\n\x1a\n"
COMPARISONS = ("overview", "evenness", "f1", "balance")


def words(svg: bytes) -> str:
    """The text of a picture."""
    found = ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return " | ".join("".join(element.itertext()) for element in found)


@cache
def drawn(name: str, *, format: Literal["svg", "png"] = "svg") -> bytes:
    """The chart of made-up figures, drawn once for all tests."""
    return render(name, data_for(name), format=format)


def size(png: bytes) -> tuple[int, int]:
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_data_gives_the_same_svg(name):
    assert render(name, data_for(name), format="svg") == drawn(name)


def test_the_same_data_gives_the_same_png():
    again = render("clusters", data_for("clusters"), format="png")
    assert again == drawn("clusters", format="png")


@pytest.mark.parametrize("name", PLOTS)
def test_a_png_is_a_png(name):
    assert drawn(name, format="png").startswith(PNG)


@pytest.mark.parametrize("name", PLOTS)
def test_an_svg_carries_neither_date_nor_program(name):
    picture = drawn(name)
    assert b"<dc:date>" not in picture
    assert b"matplotlib.org" not in picture


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("balance", ("Self-harm", "labelled by people", "generated and kept", "target")),
        ("evenness", ("standard deviation (texts)", "normalised entropy", "round")),
        ("curve", ("macro-F1 on test rows", "0.600")),
        ("clusters", ("The pool in 4 clusters", "unlabelled", "last batch", "30 of 60 texts")),
        ("entropy", ("texts picked", "whole pool", "pure guess")),
        ("cost", ("US dollars", "so far", "$0.0400")),
        ("funnel", ("accepted", "dropped by screening", "attributes", "No harm")),
    ],
)
def test_a_chart_says_in_words_what_it_shows(name, expected):
    shown = words(drawn(name))
    assert [part for part in expected if part not in shown] == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("balance", "no labels yet"),
        ("evenness", "no labelled round yet"),
        ("curve", "no model yet"),
        ("entropy", "no model yet"),
        ("cost", "nothing spent so far"),
        ("funnel", "no variations yet"),
    ],
)
def test_a_new_session_gets_words_instead_of_empty_axes(name, expected):
    assert expected in words(render(name, metrics(rounds=0), format="svg"))


def test_a_map_without_an_index_says_so():
    nothing = {"cluster_count": 0, "points": [], "maximum_entropy": 1.0, "rows": 0}
    assert "no text is indexed yet" in words(render("clusters", nothing, format="svg"))


def test_balance_before_the_first_model_says_so_beside_the_labels():
    shown = words(render("balance", metrics(models=False), format="svg"))
    assert "no model yet" in shown
    assert "labelled by people" in shown


def test_a_map_before_the_first_model_explains_no_sizes():
    shown = words(render("clusters", clusters(entropies=False), format="svg"))
    assert "labelled" in shown
    assert "unsure" not in shown


def test_a_model_without_a_score_is_not_drawn_at_zero():
    data = metrics()
    for model in data["learning_curve"]["models"]:
        model["macro_f1"] = None
    assert "no model with a score yet" in words(render("curve", data, format="svg"))


def test_a_score_with_an_interval_has_a_band_that_is_named():
    data = metrics()
    for model in data["learning_curve"]["models"]:
        model["interval"] = [model["macro_f1"] - 0.05, model["macro_f1"] + 0.05]
    assert "95 % interval" in words(render("curve", data, format="svg"))


@pytest.mark.parametrize("name", ["balance", "funnel"])
def test_class_names_are_shown_as_they_are(name):
    hostile = ("$x^{2}$", "<script>alert(1)</script>", "a & b \\frac")
    shown = words(render(name, metrics(names=hostile), format="svg"))
    assert [part for part in hostile if part not in shown] == []


@pytest.mark.parametrize("name", ["balance", "funnel"])
def test_many_classes_make_a_taller_picture(name):
    many = tuple(f"class {n}" for n in range(20))
    few_height = size(drawn(name, format="png"))[1]
    assert size(render(name, metrics(names=many), format="png"))[1] > 2 * few_height


def test_a_long_class_name_is_cut():
    shown = words(render("balance", metrics(names=("word " * 20, "b", "c")), format="svg"))
    assert "…" in shown
    assert "word " * 10 not in shown


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(InvalidInput) as refused:
        render("pie", metrics(), format="svg")
    assert refused.value.code == "unknown-plot"
    assert refused.value.extras["allowed"] == list(PLOTS)


def test_pictures_drawn_at_once_in_threads_are_the_same_as_alone():
    names = ("evenness", "clusters")
    alone = {name: drawn(name) for name in names}
    together: dict[str, bytes] = {}
    threads = [
        threading.Thread(
            target=lambda n=name: together.update({n: render(n, data_for(n), format="svg")})
        )
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


@pytest.mark.parametrize("name", COMPARISONS)
def test_a_comparison_names_every_arm(name):
    arms = [("cluster_need", metrics()), ("random", metrics())]
    shown = words(compare(name, arms, format="svg"))
    assert "cluster_need" in shown
    assert "random" in shown


def test_a_comparison_is_repeatable():
    arms = [("cluster_need", metrics()), ("random", metrics(rounds=3))]
    assert compare("f1", arms, format="png") == compare("f1", arms, format="png")


def test_a_comparison_without_models_says_so():
    arms = [("cluster_need", metrics(models=False)), ("random", metrics(models=False))]
    assert "no model yet" in words(compare("f1", arms, format="svg"))


def test_an_unknown_comparison_is_refused():
    with pytest.raises(InvalidInput) as refused:
        compare("clusters", [("a", metrics())], format="svg")
    assert refused.value.extras["allowed"] == list(COMPARISONS)
