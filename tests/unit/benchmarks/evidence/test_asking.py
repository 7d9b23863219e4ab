from pathlib import Path

from benchmarks.evidence.asking import folders, results_folder
from runtime.settings import load_settings


def test_without_a_folder_of_data_sets_they_are_fetched(tmp_path):
    found = folders(load_settings({"TAILWISE_BENCHMARK_CACHE": str(tmp_path)}))
    assert (found.datasets, found.cache) == (None, tmp_path)


def test_a_named_folder_of_data_sets_is_used(tmp_path):
    assert folders(load_settings({"TAILWISE_DATASETS": str(tmp_path)})).datasets == tmp_path


def test_summaries_of_a_checkout_stay_in_it(tmp_path, monkeypatch):
    (tmp_path / "benchmarks" / "experiments").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert results_folder() == Path("benchmarks/results")


def test_summaries_elsewhere_have_a_folder_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert results_folder() == Path("tailwise-results")
