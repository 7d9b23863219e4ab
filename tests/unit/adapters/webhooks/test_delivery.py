"""One attempt, against receivers that misbehave."""

from __future__ import annotations

import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from adapters.webhooks.delivery import HttpCourier
from tests.receiver import drip, endless_body, hang, receiving, status

HEADERS = {"webhook-id": "evt_1", "webhook-timestamp": "1", "webhook-signature": "v1,x"}


def post(courier, url, body=b'{"type":"x"}'):
    return courier.post(url, headers=HEADERS, body=body)


def test_a_message_arrives_as_it_was_signed(courier_for):
    with receiving() as receiver:
        outcome = post(courier_for(receiver.place), receiver.url)
        [message] = receiver.messages
    assert outcome.delivered
    assert message.body == b'{"type":"x"}'
    assert message.path == "/hook"
    assert message.headers["host"] == receiver.place
    assert message.headers["content-type"] == "application/json"
    assert HEADERS.items() <= message.headers.items()


@pytest.mark.parametrize("code", [200, 201, 204])
def test_any_success_counts(courier_for, code):
    with receiving(status(code)) as receiver:
        assert post(courier_for(receiver.place), receiver.url).delivered


@pytest.mark.parametrize("code", [400, 404, 410, 500, 503])
def test_a_refusal_is_a_failure_with_its_status(courier_for, code):
    with receiving(status(code)) as receiver:
        outcome = post(courier_for(receiver.place), receiver.url)
    assert not outcome.delivered
    assert outcome.status == code


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed_and_counts_as_a_failure(courier_for, code):
    with receiving() as inside, receiving(status(code, Location=inside.url)) as receiver:
        outcome = post(courier_for("127.0.0.1/32"), receiver.url)
    assert outcome.status == code
    assert not outcome.delivered
    assert inside.messages == []


@pytest.mark.parametrize("act", [hang, drip])
def test_a_receiver_that_hangs_or_drips_is_left_in_time(courier_for, act):
    with receiving(act) as receiver:
        outcome = post(courier_for(receiver.place, seconds=0.4), receiver.url)
    assert outcome.error == "timeout"


def test_a_huge_answer_is_read_only_a_little(courier_for):
    with receiving(endless_body) as receiver:
        outcome = post(courier_for(receiver.place), receiver.url)
    assert outcome.delivered


def test_what_is_answered_is_not_kept(courier_for):
    with receiving(lambda exchange: exchange.answer(500, b"a secret of ours")) as receiver:
        outcome = post(courier_for(receiver.place), receiver.url)
    assert "secret" not in repr(outcome)


@pytest.mark.parametrize(
    ("code", "header", "seconds"),
    [
        (503, "120", 120.0),
        (429, "Sun, 01 Mar 2026 12:10:00 GMT", 600.0),
        (503, "Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        (503, "later", None),
        (500, "120", None),
    ],
)
def test_retry_after_is_read_where_it_means_something(courier_for, code, header, seconds):
    with receiving(status(code, Retry_After=header)) as receiver:
        outcome = post(courier_for(receiver.place), receiver.url)
    assert outcome.retry_after == seconds


def test_a_receiver_that_is_not_there_is_a_failure(courier_for):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{unused.getsockname()[1]}"
        outcome = post(courier_for(place), f"http://{place}/")
    assert outcome.error == "not-connected"


def test_an_answer_that_is_no_http_is_a_failure(courier_for):
    with receiving(lambda exchange: exchange.write(b"SSH-2.0-OpenSSH\r\n\r\n")) as receiver:
        outcome = post(courier_for(receiver.place), receiver.url)
    assert outcome.error == "not-http"


def test_a_proxy_of_the_environment_is_not_used(courier_for, monkeypatch):
    with receiving() as proxy, receiving() as receiver:
        monkeypatch.setenv("http_proxy", f"http://{proxy.place}")
        monkeypatch.setenv("all_proxy", f"http://{proxy.place}")
        assert post(courier_for(receiver.place), receiver.url).delivered
    assert proxy.messages == []


# --- a name that changes its address ---------------------------------------------


@pytest.fixture
def listener():
    """A TLS port's stand-in: whatever connects is noted, and every byte it sends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        got: list[bytes] = []
        leaving = threading.Event()

        def listen() -> None:
            while not leaving.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    got.append(connection.recv(1))

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], got
        leaving.set()
        thread.join()


def test_a_name_that_turns_to_loopback_reaches_no_listener_there(guard_for, listener):
    port, got = listener
    names = {"rebind.example.com": [["93.184.215.14"], ["127.0.0.1"]]}
    guard = guard_for("10.0.0.0/8", names=names)
    target = replace(guard.target("https://rebind.example.com/"), port=port)
    assert guard.addresses(target) == ["93.184.215.14"]
    courier = HttpCourier(guard=Turned(guard, target), clock=FixedClock())
    outcome = post(courier, "https://rebind.example.com/")
    assert outcome.error == "address-refused"
    assert got == []


class FixedClock:
    def now(self):
        return datetime(2026, 3, 1, 12, tzinfo=UTC)


class Turned:
    """A guard whose target has the listener's port, so that a connection would be seen."""

    def __init__(self, guard, target):
        self.addresses = guard.addresses
        self.target = lambda _url: target


def test_a_name_is_asked_for_once_and_the_connection_goes_to_what_passed(courier_for):
    with receiving() as receiver:
        names = {"pinned.example.com": [["127.0.0.1"], ["127.0.0.2"]]}
        place = f"pinned.example.com:{receiver.port}"
        outcome = post(courier_for(place, names=names), f"http://{place}/")
        [message] = receiver.messages
    assert outcome.delivered
    assert message.headers["host"] == place


def test_tls_asks_for_the_name_and_not_for_the_address(courier_for, listener):
    port, got = listener
    names = {"tls.example.com": [["127.0.0.1"]]}
    outcome = post(
        courier_for(f"tls.example.com:{port}", names=names), f"https://tls.example.com:{port}/"
    )
    assert outcome.error == "not-connected"
    assert got == [b"\x16"]


def test_the_certificate_is_checked(courier_for):
    courier = courier_for()
    assert courier._ssl.verify_mode == ssl.CERT_REQUIRED
    assert courier._ssl.check_hostname


# --- TLS to a certificate of our own -----------------------------------------------


@pytest.fixture(scope="module")
def certified(tmp_path_factory):
    """(a context that serves receiver.example.com, a context that trusts it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receiver.example.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("receiver.example.com")]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    pem = made.public_bytes(Encoding.PEM)
    (folder / "cert.pem").write_bytes(pem)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(secret)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return serving, ssl.create_default_context(cadata=pem.decode())


def over_tls(guard_for, certified, name):
    """An attempt at a TLS receiver that this name leads to."""
    serving, trusting = certified
    asked = []
    serving.sni_callback = lambda _socket, server_name, _context: asked.append(server_name)
    with receiving(tls=serving) as receiver:
        place = f"{name}:{receiver.port}"
        guard = guard_for(place, names={name: [["127.0.0.1"]]})
        courier = HttpCourier(guard=guard, clock=FixedClock(), ssl_context=trusting)
        return post(courier, f"https://{place}/"), asked, receiver.messages


def test_a_pinned_address_is_asked_by_the_name_and_must_prove_it(guard_for, certified):
    outcome, asked, messages = over_tls(guard_for, certified, "receiver.example.com")
    assert outcome.delivered
    assert asked == ["receiver.example.com"]
    assert len(messages) == 1


def test_a_certificate_of_another_name_is_refused_before_anything_is_said(guard_for, certified):
    outcome, _, messages = over_tls(guard_for, certified, "other.example.com")
    assert outcome.error == "not-connected"
    assert messages == []
