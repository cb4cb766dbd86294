from windlass_conformance import BackendConformance


class TestDbm(BackendConformance):
    url = "dbm:///conformance.dbm"
