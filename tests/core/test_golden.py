"""What was written stays readable, and what is written now does not change by accident."""

import json
from pathlib import Path

import pytest

from kchat.core import FORMAT_VERSION, MESSAGE_TYPES, JsonDecoder, Message, encode
from tests.core.golden import PATHS, Golden, add
from tests.core.json_strategies import exactly
from tests.core.parsers import each_parser

__all__ = ["each_parser"]

GOLDEN = [Golden.load(path) for path in PATHS]
every_file = pytest.mark.parametrize("record", GOLDEN, ids=[path.stem for path in PATHS])


@every_file
def test_a_record_of_any_version_is_read_as_it_was_meant(record: Golden) -> None:
    message = JsonDecoder().decode(record.fetched)
    assert isinstance(message, Message)
    assert message.type == record.message.type
    assert exactly(message.data) == exactly(record.message.data)


@pytest.mark.parametrize("version", range(FORMAT_VERSION + 1))
def test_every_version_has_a_record_of_every_type(version: int) -> None:
    assert {record.message.type for record in GOLDEN if record.version == version} == MESSAGE_TYPES


@every_file
def test_todays_encoder_writes_todays_version_byte_for_byte(record: Golden) -> None:
    if record.version == FORMAT_VERSION:
        key = record.record.key
        assert key is not None
        assert encode(record.message, key=key, message_id=record.message_id) == record.record
    else:
        assert record.version < FORMAT_VERSION


def test_records_from_before_kchat_have_no_key_and_no_headers() -> None:
    before = [record.record for record in GOLDEN if record.version == 0]
    assert {(record.key, record.headers) for record in before} == {(None, ())}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_files_name_tells_its_version_and_its_text_is_in_one_form(path: Path) -> None:
    record = Golden.load(path)
    assert path.name.startswith(f"v{record.version}-")
    assert path.read_text("ascii") == record.dumped()


def test_a_new_record_gets_a_new_file_and_an_old_one_is_never_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(add, "HERE", tmp_path)
    message = json.dumps({"type": "human", "data": {"content": "x"}})
    assert add.main(["new"], message) == ""
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    assert Golden.load(path).message == Message("human", {"content": "x"})
    assert "stays as it is" in add.main(["new"], message)
    assert path.read_bytes() == before
    assert "NaN" in add.main(["bad"], '{"type": "human", "data": {"content": NaN}}')
    assert len(list(tmp_path.iterdir())) == 1
