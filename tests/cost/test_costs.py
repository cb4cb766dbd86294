import pytest
from cost import ledger, measure

BACKENDS = {"runner": "memory"}
"""The backend that a store's costs are measured on, if its name differs."""


@pytest.mark.parametrize("store", measure.STORES)
def test_a_job_costs_what_is_recorded(store: str, request: pytest.FixtureRequest) -> None:
    """Each cost of a job on the plain path is the recorded one; a change needs an entry with its reason."""
    if request.config.getoption("--backend") not in (None, BACKENDS.get(store, store)):
        pytest.skip("another backend was chosen")
    if why := measure.obstacle(store):
        pytest.skip(why)
    shared_server = [request.getfixturevalue("mongo_url")] if store == "mongo" else []
    costs, recorded = ledger.keyed(store, measure.STORES[store](*shared_server)), measure.recorded_costs(store)
    assert costs.keys() >= recorded.keys(), f"{ledger.FILE} has costs that are not measured: remove them"
    differing = [*ledger.described(ledger.differences(costs, recorded), recorded)]
    assert not differing, "\n".join([*differing, "to accept this, run: nox -s cost -- --write 'the reason'"])
