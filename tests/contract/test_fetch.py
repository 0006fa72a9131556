"""In: a real HTTP server that cuts, lies and refuses; a real small disk. Out: whole models or one sentence, nothing half."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.catalogue.entry import Entry
from appliance.catalogue.fetch import STAGING, fetch
from appliance.catalogue.mirror import Mirror
from appliance.catalogue.store import Store
from appliance.errors import ModelError
from tests.contract.file_server import FileServer

WEIGHTS = random.Random(1).randbytes(300_000)
TOKENS = b"<blk> 0\n"
PIECES = b"\x0a\x0a\x0a\x03\xe2\x96\x81\x15\x00\x00\x20\xc0"  # SentencePiece("▁", -2.5)
VOCABULARY = "▁\t-2.5\n".encode()
FAST_S = 0.01


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:bz2") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def plain(url: str) -> Entry:
    """A model of three files of their own, one of them derived."""
    files = {
        "encoder": {"name": "encoder.onnx", "size": len(WEIGHTS), "sha256": sha(WEIGHTS), "url": f"{url}/encoder.onnx"},
        "bpe_model": {"name": "bpe.model", "size": len(PIECES), "sha256": sha(PIECES), "url": f"{url}/bpe.model"},
        "bpe_vocab": {"name": "bpe.vocab", "sha256": sha(VOCABULARY), "derived_from": "bpe_model"},
    }
    return entry(files)


def entry(files: dict[str, dict[str, object]], archive: dict[str, object] | None = None) -> Entry:
    facts = {"name": "m", "stage": "stt", "kind": "transducer", "language": "en", "licence": "MIT", "memory_mb": 1}
    return Entry.model_validate({**facts, "tested": False, "folder": "m-upstream", "files": files, "archive": archive})


def in_archive(url: str, data: bytes, members: tuple[str, ...] = ("*.onnx", "tokens.txt")) -> Entry:
    names = {"*.onnx": ("model", "model.onnx"), "tokens.txt": ("tokens", "tokens.txt")}
    files = {names[m][0]: {"name": names[m][1], "member": m} for m in members}
    return entry(files, {"url": f"{url}/voice.tar.bz2", "size": len(data), "sha256": sha(data)})


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer({"/encoder.onnx": WEIGHTS, "/bpe.model": PIECES}) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "models")


def staged(store: Store) -> list[str]:
    return sorted(
        path.name for path in (store.root / STAGING).rglob("*") if path.is_file() and path.name != "stamp.json"
    )


def test_fetches_and_derives(server: FileServer, store: Store) -> None:
    seen: list[tuple[str, int, int | None]] = []
    model = fetch(plain(server.url), store, None, lambda *report: seen.append(report))
    assert model.files["encoder"].read_bytes() == WEIGHTS
    assert model.files["bpe_vocab"].read_bytes() == VOCABULARY
    assert model.sha256["bpe_vocab"] == sha(VOCABULARY)
    assert seen[-1][0] == "m/bpe.model" and ("m/encoder.onnx", len(WEIGHTS), len(WEIGHTS)) in seen
    assert staged(store) == []


def test_a_whole_model_is_not_fetched_again(server: FileServer, store: Store) -> None:
    fetch(plain(server.url), store, None)
    fetch(plain(server.url), store, None)
    assert len(server.requests) == 2


def test_resumes_where_the_connection_was_cut(server: FileServer, store: Store) -> None:
    server.cut("/encoder.onnx", 100_000)
    fetch(plain(server.url), store, None, back_off_s=FAST_S)
    assert server.requests[:2] == [("/encoder.onnx", None), ("/encoder.onnx", "bytes=100000-")]


def test_starts_again_where_the_server_knows_no_ranges(server: FileServer, store: Store) -> None:
    server.ranges = False
    server.cut("/encoder.onnx", 100_000)
    assert fetch(plain(server.url), store, None, back_off_s=FAST_S).files["encoder"].read_bytes() == WEIGHTS


def test_a_later_fetch_goes_on(server: FileServer, store: Store) -> None:
    part = store.root / STAGING / "m" / "encoder.onnx.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(WEIGHTS[:200_000])  # what an interrupted program left
    fetch(plain(server.url), store, None, back_off_s=FAST_S)
    assert server.requests[0] == ("/encoder.onnx", "bytes=200000-")


def test_a_busy_server_is_asked_again(server: FileServer, store: Store) -> None:
    server.refuse("/encoder.onnx", 503, 429)
    fetch(plain(server.url), store, None, back_off_s=FAST_S)
    assert len(server.requests) == 4


def test_a_missing_file_is_asked_for_once(server: FileServer, store: Store) -> None:
    del server.files["/encoder.onnx"]
    with pytest.raises(ModelError, match=r"encoder\.onnx: the server answers 404") as caught:
        fetch(plain(server.url), store, None, back_off_s=FAST_S)
    assert caught.value.code == "refused" and len(server.requests) == 1


def test_unreachable_is_one_sentence_and_keeps_what_came(server: FileServer, store: Store) -> None:
    server.cut("/encoder.onnx", 100_000)

    def down_after_the_cut(name: str, done: int, total: int | None) -> None:
        server.refuse("/encoder.onnx", 503, 503, 503)

    with pytest.raises(ModelError, match="cannot be fetched") as caught:
        fetch(plain(server.url), store, None, down_after_the_cut, back_off_s=FAST_S)
    assert caught.value.code == "unreachable" and "\n" not in str(caught.value)
    assert staged(store) == ["encoder.onnx.part"] and not store.has(plain(server.url))


def test_nobody_listening(store: Store) -> None:
    with FileServer({}) as gone:
        url = gone.url
    with pytest.raises(ModelError, match="Connection refused"):
        fetch(plain(url), store, None, back_off_s=FAST_S)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (WEIGHTS[:-1] + b"\x00", "wrong-hash"),
        (WEIGHTS[:1000], "wrong-size"),
        (WEIGHTS + b"more", "wrong-size"),
        (b"", "wrong-size"),
    ],
)
def test_wrong_bytes_are_refused_and_removed(server: FileServer, store: Store, body: bytes, code: str) -> None:
    server.files["/encoder.onnx"] = body
    with pytest.raises(ModelError) as caught:
        fetch(plain(server.url), store, None, back_off_s=FAST_S)
    assert caught.value.code == code
    assert not store.has(plain(server.url)) and staged(store) == []
    server.files["/encoder.onnx"] = WEIGHTS  # and once upstream is right again, so are we
    fetch(plain(server.url), store, None)


def test_only_the_damaged_file_is_fetched_again(server: FileServer, store: Store) -> None:
    model = fetch(plain(server.url), store, None)
    model.files["bpe_model"].write_bytes(b"rot")
    server.requests.clear()
    assert fetch(plain(server.url), store, None).files["bpe_model"].read_bytes() == PIECES
    assert server.requests == [("/bpe.model", None)]


def test_two_fetches_at_once_fetch_once(server: FileServer, store: Store) -> None:
    threads = [threading.Thread(target=fetch, args=(plain(server.url), store, None)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(server.requests) == 2 and store.open(plain(server.url), rehash=True)


def test_only_the_wanted_members_leave_an_archive(server: FileServer, store: Store, tmp_path: Path) -> None:
    members = {"v/en.onnx": WEIGHTS, "../../v/tokens.txt": TOKENS, "v/._en.onnx": b"x", "/etc/evil": b"x"}
    data = server.files["/voice.tar.bz2"] = packed(members)
    model = fetch(in_archive(server.url, data), store, None)
    assert model.files["model"].read_bytes() == WEIGHTS and model.sha256["tokens"] == sha(TOKENS)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        ".lock",
        "model.onnx",
        "stamp.json",
        "tokens.txt",
    ]


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"v/en.onnx": b"x"}, "holds no tokens.txt"),
        ({"v/en.onnx": b"x", "w/de.onnx": b"y", "tokens.txt": TOKENS}, "both fit"),
        (None, "is damaged"),
    ],
)
def test_an_odd_archive_is_refused(
    server: FileServer, store: Store, members: dict[str, bytes] | None, sentence: str
) -> None:
    data = packed(members) if members else packed({"v/en.onnx": WEIGHTS})[:2000]
    server.files["/voice.tar.bz2"] = data
    with pytest.raises(ModelError, match=sentence):
        fetch(in_archive(server.url, data), store, None)
    assert not store.root.joinpath("m").exists()


def test_a_mirror_needs_no_network(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "mirror" / "m-upstream"
    folder.mkdir(parents=True)
    (folder / "encoder.onnx").write_bytes(WEIGHTS)
    (folder / "bpe.model").write_bytes(PIECES)
    entry = plain("http://192.0.2.1")
    assert fetch(entry, store, Mirror(tmp_path / "mirror")).sha256["encoder"] == sha(WEIGHTS)
    again = Store(tmp_path / "second")
    assert fetch(entry, again, Mirror(store.root)).sha256["encoder"] == sha(WEIGHTS)  # a store serves as a mirror


@pytest.mark.parametrize("body", [WEIGHTS[:10], bytes(len(WEIGHTS)), None])
def test_a_wrong_mirror_is_refused(store: Store, tmp_path: Path, body: bytes | None) -> None:
    folder = tmp_path / "mirror" / "m-upstream"
    folder.mkdir(parents=True)
    if body is not None:
        (folder / "encoder.onnx").write_bytes(body)
    with pytest.raises(ModelError, match=r"encoder\.onnx"):
        fetch(plain("http://192.0.2.1"), store, Mirror(tmp_path / "mirror"))
    assert not store.root.joinpath("m").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("a small disk needs the right to mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_nothing(server: FileServer, small_disk: Path) -> None:
    data = server.files["/voice.tar.bz2"] = packed({"v/en.onnx": bytes(5_000_000), "v/tokens.txt": TOKENS})
    with pytest.raises(ModelError, match="no room for m in") as caught:
        fetch(in_archive(server.url, data), Store(small_disk), None)
    assert caught.value.exit_code == 1
    assert [path.name for path in small_disk.rglob("*") if path.is_file()] == [".lock"]


def test_too_little_room_is_seen_before(server: FileServer, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(900_000))
    with pytest.raises(ModelError, match=r"0 MB needed, 0 MB free|no room"):
        fetch(plain(server.url), Store(small_disk), None)
    assert server.requests == []


def test_a_folder_that_cannot_be_made_is_one_sentence(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be kept in"):
        fetch(plain(server.url), Store(tmp_path / "file" / "models"), None)
