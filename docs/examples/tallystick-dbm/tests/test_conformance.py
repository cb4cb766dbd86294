from tallystick_conformance import BackendConformance


class TestDbm(BackendConformance):
    url = "dbm:///conformance.dbm"
