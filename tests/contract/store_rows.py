"""Plausible records for the store's tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.people import Assignment, Flag, Invitation, Person, SignIn
from core.provider_batches import HandedCall, HandedIn
from core.records import (
    Batch,
    BatchItem,
    Choice,
    Generation,
    IndexVersion,
    LabelClass,
    LabelEvent,
    Model,
    Operation,
    Pick,
    Screen,
    Session,
    SessionSettings,
    Shard,
    Task,
)
from core.webhooks import Delivery, WebhookEndpoint

NOW = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


class Rows:
    """Plausible records; every method takes what should differ."""

    now = NOW

    def person(self, id: str = "per_1", **changes: object) -> Person:
        made = Person(
            id=id,
            tenant_id="ten_a",
            name="Kim",
            role="annotator",
            session_id=None,
            preferences={"text_size": 120},
            created_at=NOW,
        )
        return replace(made, **changes)

    def invitation(self, id: str = "inv_1", **changes: object) -> Invitation:
        made = Invitation(
            id=id,
            tenant_id="ten_a",
            name="Kim",
            role="annotator",
            session_id=None,
            token_sha256="a" * 64,
            created_by="key_1",
            created_at=NOW,
            expires_at=NOW + timedelta(hours=72),
        )
        return replace(made, **changes)

    def sign_in(self, id: str = "sig_1", **changes: object) -> SignIn:
        made = SignIn(
            id=id,
            tenant_id="ten_a",
            person_id="per_1",
            token_sha256="b" * 64,
            created_at=NOW,
            expires_at=NOW + timedelta(hours=12),
        )
        return replace(made, **changes)

    def assignment(self, id: str = "asg_1", **changes: object) -> Assignment:
        made = Assignment(
            id=id,
            tenant_id="ten_a",
            session_id="ses_1",
            item_id="itm_0",
            batch_id="bat_1",
            annotator_id="ann",
            state="leased",
            token_sha256="c" * 64,
            check=False,
            claimed_at=NOW,
            expires_at=NOW + timedelta(seconds=600),
        )
        return replace(made, **changes)

    def flag(self, id: str = "flg_1", **changes: object) -> Flag:
        made = Flag(
            id=id,
            tenant_id="ten_a",
            session_id="ses_1",
            item_id="itm_0",
            assignment_id="asg_1",
            annotator_id="ann",
            reason="other",
            note=None,
            state="open",
            resolution=None,
            resolved_by=None,
            created_at=NOW,
            resolved_at=None,
        )
        return replace(made, **changes)

    def handed_in(self, id: str = "pbt_1", **changes: object) -> HandedIn:
        call = HandedCall(
            seed_number=0,
            item_id="itm_0",
            example_ids=("itm_1",),
            contrast="none",
            attributes=("persona: a cook",),
            chance=7,
            prompt_sha256="e" * 64,
        )
        made = HandedIn(
            id=id,
            tenant_id="ten_a",
            session_id="ses_1",
            operation_id="opr_1",
            wave=0,
            state="sent",
            generator="anthropic",
            provider_id="msgbatch_1",
            size=1,
            cost_id="cst_1",
            template_version=1,
            calls=(call,),
            sent_at=NOW,
        )
        return replace(made, **changes)

    def session(self, id: str = "ses_1", **changes: object) -> Session:
        made = Session(
            id=id,
            tenant_id="ten_a",
            name="Triage",
            task=Task(
                classes=(
                    LabelClass(id="harm", name="Harm", examples=("one", "two"), target_share=0.5),
                    LabelClass(id="none", name="No harm"),
                )
            ),
            guidelines="Read twice.",
            guidelines_version=1,
            settings=SessionSettings(clusterer=Choice(name="kmeans", options={"count": 3})),
            state="open",
            revision=1,
            created_at=NOW,
            updated_at=NOW,
        )
        return replace(made, **changes)

    def label(self, seq: int, item_id: str = "itm_0", **changes: object) -> LabelEvent:
        made = LabelEvent(
            id=f"lab_{seq}",
            tenant_id="ten_a",
            session_id="ses_1",
            item_id=item_id,
            seq=seq,
            kind="created",
            labels=("harm",),
            oracle="human",
            annotator_id="ann",
            client_label_id=None,
            batch_id=None,
            target_id=None,
            guidelines_version=1,
            note=None,
            duration_ms=1200,
            status="on_time",
            created_at=NOW,
        )
        return replace(made, **changes)

    def batch(self, round: int, item_ids: tuple[str, ...], **changes: object) -> Batch:
        picks = tuple(
            BatchItem(
                item_id=item_id,
                external_id=item_id.replace("itm_", "ext-"),
                pick=Pick(
                    position=rank, cluster=2, score=0.5, rank=rank, strategy="entropy", entropy=0.7
                ),
            )
            for rank, item_id in enumerate(item_ids)
        )
        made = Batch(
            id=f"bat_{round}",
            tenant_id="ten_a",
            session_id="ses_1",
            round=round,
            state="open",
            strategy="entropy",
            strategy_used="typical",
            seed=2**40,
            index_id="idx_1",
            model_id=None,
            requested=5,
            shortfall=5 - len(item_ids),
            shortfall_reason="pool-exhausted",
            items=picks,
            created_at=NOW,
        )
        return replace(made, **changes)

    def generation(self, id: str, **changes: object) -> Generation:
        made = Generation(
            id=id,
            tenant_id="ten_a",
            session_id="ses_1",
            operation_id="opr_1",
            round=1,
            seed_item_id="itm_0",
            seed_label_id="lab_1",
            text="A written text",
            labels=("harm",),
            original_text=None,
            original_labels=None,
            state="proposed",
            screens=(
                Screen(check="near", passed=True, value=0.25),
                Screen(check="x", passed=False),
            ),
            needs_review=True,
            generator="perturb",
            model=None,
            template_id="attributes",
            template_version=1,
            template_sha256="0" * 64,
            attributes=("tone", "length"),
            example_ids=("itm_2",),
            contrast=None,
            prompt_sha256="1" * 64,
            response_sha256="2" * 64,
            request_id=None,
            reviewer=None,
            reason=None,
            revision=1,
            created_at=NOW,
            reviewed_at=None,
        )
        return replace(made, **changes)

    def model(self, version: int, **changes: object) -> Model:
        made = Model(
            id=f"mod_{version}",
            tenant_id="ten_a",
            session_id="ses_1",
            version=version,
            round=version,
            state="candidate",
            learner="linear",
            encoder_id="hashing-8",
            classes=("harm", "none"),
            onnx=f"{version:064x}",
            label_watermark=4,
            human_counts={"harm": 2, "none": 2},
            generated_counts={},
            parameters={"C": 1.0},
            metrics={"macro_f1": 0.5},
            evaluated_on="test",
            parity=1e-7,
            revision=1,
            created_at=NOW,
        )
        return replace(made, **changes)

    def index(self, sequence: int, **changes: object) -> IndexVersion:
        made = IndexVersion(
            id=f"idx_{sequence}",
            tenant_id="ten_a",
            session_id="ses_1",
            sequence=sequence,
            encoder_id="hashing-8",
            rows=3,
            dimension=8,
            cluster_count=2,
            clustered_rows=3,
            clusterer="kmeans",
            centroids="c" * 64,
            model_id=None,
            shards=(Shard(number=0, rows=3, vectors="a" * 64, splits="b" * 64, clusters="d" * 64),),
            created_at=NOW,
        )
        return replace(made, **changes)

    def operation(self, id: str = "opr_1", **changes: object) -> Operation:
        made = Operation(
            id=id,
            tenant_id="ten_a",
            session_id="ses_1",
            kind="retrain",
            state="queued",
            input={"seed": 3},
            created_at=NOW,
        )
        return replace(made, **changes)

    def endpoint(self, id: str = "whe_1", **changes: object) -> WebhookEndpoint:
        made = WebhookEndpoint(
            id=id,
            tenant_id="ten_a",
            url="https://example.com/",
            description="",
            types=(),
            session_id=None,
            payload="thin",
            state="enabled",
            disabled_reason=None,
            secrets="sealed",
            failing_since=None,
            revision=1,
            created_at=NOW,
        )
        return replace(made, **changes)

    def test_message(self, id: str = "dlv_1", **changes: object) -> Delivery:
        made = Delivery(
            id=id,
            tenant_id="ten_a",
            session_id=None,
            endpoint_id="whe_1",
            event_id="evt_test",
            type="endpoint.test",
            state="pending",
            attempts=0,
            next_attempt_at=NOW,
            locked_until=None,
            last_status=None,
            last_error=None,
            created_at=NOW,
            delivered_at=None,
        )
        return replace(made, **changes)
