"""Environments of workers on one host."""

import json
import os

import pytest

from mtl_keras.processes import free_ports, worker_environments


def test_ports_differ():
    assert len(set(free_ports(20))) == 20


def test_each_worker_knows_all_and_which_it_is():
    made = worker_environments(3, {"OTHER": "kept", "CUDA_VISIBLE_DEVICES": ""})
    configs = [json.loads(each["TF_CONFIG"]) for each in made]
    assert [config["task"]["index"] for config in configs] == [0, 1, 2]
    addresses = configs[0]["cluster"]["worker"]
    assert len(set(addresses)) == 3
    assert all(config["cluster"] == configs[0]["cluster"] for config in configs)
    assert all(address.startswith("127.0.0.1:") for address in addresses)
    assert all(each["OTHER"] == "kept" for each in made)


def test_gpus_are_dealt_out():
    made = worker_environments(2, {"CUDA_VISIBLE_DEVICES": "0,2,5,7,8"})
    assert [each["CUDA_VISIBLE_DEVICES"] for each in made] == ["0,2", "5,7"]
    assert "TF_NUM_INTRAOP_THREADS" not in made[0]
    with pytest.raises(ValueError, match="1 GPUs for 2 workers"):
        worker_environments(2, {"CUDA_VISIBLE_DEVICES": "0"})


def test_cores_are_dealt_out_where_there_are_no_gpus():
    (made,) = worker_environments(1, {"CUDA_VISIBLE_DEVICES": "-1"})
    assert made["TF_NUM_INTRAOP_THREADS"] == str(os.cpu_count())
    (kept,) = worker_environments(
        1, {"CUDA_VISIBLE_DEVICES": "", "TF_NUM_INTRAOP_THREADS": "7"}
    )
    assert kept["TF_NUM_INTRAOP_THREADS"] == "7"
