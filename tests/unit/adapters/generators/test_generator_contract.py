"""What holds of every generator, whatever writes."""

from __future__ import annotations

import string
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from adapters.generators import ChatService, LlamaServer, generators
from core.budget import Price
from core.errors import InvalidOption
from core.generation import Abilities
from core.ports import BatchWriter, Generator
from core.records import Choice
from tests import messages_server
from tests.batches_server import batches_server, succeeded
from tests.completions_server import MODEL, completion, completions_server
from tests.messages_server import KEY, Handler, variations

NAMES = (
    "anthropic",
    "anthropic_batch",
    "openai_compatible",
    "openai_paid",
    "local",
    "simulated",
    "perturb",
)
REGISTERED = {"anthropic_batch": "anthropic", "openai_paid": "openai_compatible"}
OPTIONS = {"anthropic_batch": {"mode": "batch", "poll_s": 0.01, "poll_most_s": 0.05}}
FILLED = [f"a text about rent, number {n}" for n in range(10)]


class Shelf:
    """A reserve of texts."""

    def nearest(self, vector, *, class_id, limit):
        return [(f"itm_{n}", text) for n, text in enumerate(FILLED)][:limit]


class Scripted(LlamaServer):
    """A model in the process whose server is a scripted one."""

    def __init__(self, url: str) -> None:
        super().__init__(file=Path("scripted.gguf"))
        self._url = url

    def check(self) -> None:
        """Nothing is missing."""

    def service(self) -> ChatService:
        return ChatService(base_url=self._url, model=self.model)


def says(text: str) -> Callable[[Handler], None]:
    """The same text in either protocol."""

    def step(handler: Handler) -> None:
        chat = handler.path.endswith("/chat/completions")
        handler.json(200, completion(text) if chat else messages_server.message(text))

    return step


def _always(text: str, custom_id: str, params: object) -> dict[str, object]:
    """The fate of every call of a batch."""
    return succeeded(text)


@pytest.fixture
def registry_for():
    """The registry with servers behind it that answer so."""
    with ExitStack() as stack:

        def make(name: str, text: str = variations(FILLED)):
            url = chat = llama = None
            if name == "anthropic":
                url = stack.enter_context(messages_server.messages_server(says(text))).url
            if name == "anthropic_batch":
                fate = partial(_always, text)
                url = stack.enter_context(batches_server(fate=fate)).url
            if name.startswith("openai"):
                price = Price(input=1.0, output=2.0) if name == "openai_paid" else None
                base = stack.enter_context(completions_server(says(text))).url
                chat = ChatService(base_url=base, model=MODEL, price=price)
            if name == "local":
                llama = Scripted(stack.enter_context(completions_server(says(text))).url)
            return generators(
                anthropic_key=KEY,
                anthropic_base_url=url,
                reserve=Shelf(),
                class_ids=("financial", "legal"),
                chat=chat,
                llama=llama,
            )

        yield make


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def known_as(name: str) -> str:
    return REGISTERED.get(name, name)


@pytest.fixture
def generator(name, known_as, registry_for) -> Generator:
    return registry_for(name).make(Choice(name=known_as, options=OPTIONS.get(name, {})))


@pytest.fixture
def babbling(name, known_as, registry_for) -> Generator:
    """The same, where a server behind it answers nonsense."""
    return registry_for(name, text="utter nonsense").make(
        Choice(name=known_as, options=OPTIONS.get(name, {}))
    )


@pytest.fixture
def abilities(name, known_as, registry_for) -> Abilities:
    return Abilities(**registry_for(name).get(known_as).facts)


def test_it_says_its_name_and_whether_it_is_paid(generator, known_as, abilities):
    assert generator.name == known_as
    assert generator.paid == abilities.paid


def test_an_estimate_costs_something_exactly_where_it_is_paid(generator, abilities, make_request):
    assert (generator.estimate(make_request()).dollars > 0) == abilities.paid


@pytest.mark.parametrize("count", [1, 3, 10])
def test_it_writes_at_most_what_is_asked_and_names_a_shortfall(
    generator, make_request, purse, count
):
    result = generator.generate(make_request("paraphrase", count=count), purse=purse)
    assert 0 < len(result.variations) <= count
    assert result.outcome == ("ok" if len(result.variations) == count else "shortfall")


def test_texts_are_printable_and_not_blank(generator, make_request, purse):
    result = generator.generate(make_request("paraphrase"), purse=purse)
    allowed = set(string.printable) - set("\x0b\x0c\r")
    assert all(v.text.strip() and set(v.text) <= allowed for v in result.variations)


def test_hashes_cover_what_was_asked_and_answered(generator, make_request, purse):
    result = generator.generate(make_request("paraphrase"), purse=purse)
    other = generator.generate(make_request("paraphrase", text="another seed, now"), purse=purse)
    assert len(result.prompt_sha256) == len(result.response_sha256) == 64
    assert result.prompt_sha256 != other.prompt_sha256


def test_every_reservation_is_settled_and_an_unpaid_one_is_worth_nothing(
    generator, abilities, make_request, purse
):
    result = generator.generate(make_request("paraphrase"), purse=purse)
    assert len(purse.reserved) == len(purse.settled)
    assert (sum(purse.reserved) > 0) == abilities.paid
    assert sum(purse.settled) == pytest.approx(result.dollars)


def test_an_empty_purse_stops_only_the_paid(generator, abilities, make_request, make_purse):
    result = generator.generate(make_request("paraphrase"), purse=make_purse(limit=0.0))
    assert (result.outcome == "over_budget") == abilities.paid


def test_a_repeatable_generator_repeats_itself(generator, abilities, make_request, purse):
    runs = [generator.generate(make_request("paraphrase"), purse=purse) for _ in range(2)]
    if abilities.repeatable:
        assert runs[0].variations == runs[1].variations
    else:
        assert runs[0].prompt_sha256 == runs[1].prompt_sha256


def test_only_the_prompted_read_the_template(generator, abilities, make_request, purse):
    plain = make_request("paraphrase")
    told = make_request("paraphrase", template=replace(plain.template, body="{{seed}} again"))
    hashes = {generator.generate(r, purse=purse).prompt_sha256 for r in (plain, told)}
    assert (len(hashes) == 2) == abilities.prompted


def test_threads_may_share_it(generator, make_request, make_purse):
    def run(_):
        return generator.generate(make_request("paraphrase"), purse=make_purse()).outcome

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(run, range(8))) <= {"ok", "shortfall"}


def test_nonsense_from_a_structured_one_is_an_outcome(babbling, abilities, make_request, purse):
    outcome = babbling.generate(make_request("paraphrase"), purse=purse).outcome
    assert (outcome == "invalid") == abilities.structured


@pytest.mark.parametrize("option", ["api_key", "base_url", "openai_base_url", "url", "price"])
def test_no_option_says_where_to_call_or_with_which_key(name, known_as, registry_for, option):
    with pytest.raises(InvalidOption):
        registry_for(name).make(Choice(name=known_as, options={option: "http://127.0.0.1:9"}))


def test_only_one_that_can_hand_in_batches_takes_the_mode(name, known_as, registry_for, abilities):
    choice = Choice(name=known_as, options={"mode": "batch"})
    if abilities.batch:
        assert isinstance(registry_for(name).make(choice), BatchWriter)
    else:
        with pytest.raises(InvalidOption):
            registry_for(name).make(choice)


def test_directly_is_how_calls_are_made_unless_told_otherwise(name, known_as, registry_for):
    assert not isinstance(registry_for(name).make(Choice(name=known_as)), BatchWriter)


@pytest.mark.parametrize("known", ["anthropic", "openai_compatible", "local"])
def test_a_mode_that_is_none_is_refused_by_name(registry_for, known):
    name = {"anthropic": "anthropic_batch"}.get(known, known)
    with pytest.raises(InvalidOption) as refused:
        registry_for(name).make(Choice(name=known, options={"mode": "sideways"}))
    assert refused.value.errors[0].pointer == "/options/mode"
    assert "direct" in refused.value.detail
