"""The journal: complete lines stay, incomplete ones are removed."""

import os

import pytest

from mtl_keras.tuning.journal import Journal

EVENTS = [{"event": "study"}, {"event": "begin", "labels": {"width": 3}}]


def write(folder):
    journal = Journal(folder)
    for event in EVENTS:
        journal.append(event)
    return journal.path


def test_events_come_back(tmp_path):
    write(tmp_path)
    assert Journal(tmp_path).events == EVENTS


def test_a_torn_line_is_cut_off_at_any_byte(tmp_path):
    path = write(tmp_path)
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    for size in range(first, len(content)):
        path.write_bytes(content[:size])
        journal = Journal(tmp_path)
        assert journal.events == EVENTS[:1]
        journal.append(EVENTS[1])
        assert path.read_bytes() == content


def test_lines_and_the_file_name_are_on_disk(tmp_path, monkeypatch):
    synced = []
    sync = os.fsync

    def noted(number):
        synced.append(os.readlink(f"/proc/self/fd/{number}"))
        sync(number)

    monkeypatch.setattr(os, "fsync", noted)
    path = write(tmp_path)
    assert synced == [str(path), str(tmp_path), str(path)]


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    journal = Journal(tmp_path)
    journal.append(EVENTS[0])
    write_some = os.write

    def full(number, content):
        write_some(number, content[:5])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.append(EVENTS[1])
    journal.append(EVENTS[1])
    assert Journal(tmp_path).events == EVENTS


def test_a_damaged_line_is_named(tmp_path):
    path = write(tmp_path)
    path.write_bytes(b"{]\n" + path.read_bytes())
    with pytest.raises(ValueError, match="line 1 is damaged"):
        Journal(tmp_path)
