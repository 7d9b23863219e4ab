"""A seed with several classes: the prompt names them all, and the reserve must have them all."""

from __future__ import annotations

from adapters.generators.prompts import build_prompt
from adapters.generators.simulated import SimulatedGenerator
from core.records import LabelClass

LEGAL = LabelClass(id="legal", name="Legal", definition="Questions of law.")
CLASSES = ("emergency", "financial", "legal")


class ListedReserve:
    """Rows by class, several ids joined."""

    def __init__(self, **rows):
        self.rows = {name.replace("_and_", "|"): texts for name, texts in rows.items()}
        self.asked = []

    def nearest(self, vector, *, class_id, limit):
        self.asked.append(class_id)
        return [(text, text) for text in self.rows.get(class_id, ())][:limit]


def written(request, purse, reserve, **options):
    generator = SimulatedGenerator(reserve=reserve, class_ids=CLASSES, **options)
    return generator.generate(request, purse=purse)


def test_the_prompt_names_every_class_and_defines_each(make_request):
    prompt = build_prompt(make_request(also=(LEGAL,)), count=3)
    sent = prompt.system + prompt.user
    assert "financial and also Legal" in sent
    assert "financial: Money trouble." in sent
    assert "Legal: Questions of law." in sent


def test_a_seed_of_one_class_gets_the_prompt_it_always_got(make_request):
    assert build_prompt(make_request(also=()), count=3) == build_prompt(make_request(), count=3)


def test_simulated_rows_have_exactly_the_classes_of_the_seed(make_request, purse):
    reserve = ListedReserve(financial=["a", "b", "c"], financial_and_legal=["d", "e", "f"])
    result = written(make_request(also=(LEGAL,)), purse, reserve)
    assert {row.source_id for row in result.variations} == {"d", "e", "f"}


def test_classes_that_never_meet_in_the_reserve_are_a_shortfall(make_request, purse):
    result = written(make_request(also=(LEGAL,)), purse, ListedReserve(financial=["a", "b", "c"]))
    assert (result.outcome, result.variations) == ("shortfall", ())


def test_a_wrong_row_has_none_of_the_classes(make_request, purse):
    reserve = ListedReserve(emergency=["a", "b", "c"])
    result = written(make_request(also=(LEGAL,)), purse, reserve, noise=1.0)
    assert reserve.asked == ["emergency"]
    assert result.outcome == "ok"
