#!/usr/bin/env python3
"""Goal: the Azure stand-in takes and refuses what Azure does, as Microsoft's own client libraries understand it.
Method: azure-monitor-ingestion and azure-identity from PyPI against it. Exit code 77: they, or openssl, are missing.

    azure_sdk_test.py [unittest arguments]
"""
import datetime
import pathlib
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
try:
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
    from azure.identity import CertificateCredential, ClientSecretCredential
    from azure.monitor.ingestion import LogsIngestionClient
except ImportError:
    print("skipped: pip install azure-monitor-ingestion azure-identity", file=sys.stderr)
    sys.exit(77)
from uplink_test import CLIENT, RULE, SECRET, TENANT, Azure, make_pki  # noqa: E402

STREAM = "Custom-FluxObjectStatus_CL"


def a_row(sequence):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"TimeGenerated": now, "SiteId": "0" * 32, "Site": "shop", "Sequence": sequence, "RecordId": f"{sequence:032x}",
            "ObservedAt": now, "LastObservedAt": now, "Count": 1, "QueuedAt": now, "UploadedAt": now,
            "ConfigurationNamespace": "apps", "ConfigurationName": "shop", "Kind": "Kustomization", "Namespace": "apps", "Name": "shop",
            "ComplianceState": "Compliant", "Reason": "ReconciliationSucceeded", "Message": "Applied revision", "Revision": "main@sha1:0",
            "ObservedGeneration": 1, "AppliedByNamespace": "", "AppliedByName": "", "StatusConditions": []}


class Sdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="holdfast-sdk-")
        cls.pki = pathlib.Path(cls.folder.name)
        make_pki(cls.pki)
        both = (cls.pki / "principal.key").read_bytes() + (cls.pki / "principal.pem").read_bytes()
        (cls.pki / "both.pem").write_bytes(both)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.azure = Azure(self.pki)
        self.addCleanup(self.azure.stop)
        self.settings = {"authority": self.azure.url, "disable_instance_discovery": True, "connection_verify": str(self.pki / "ca.pem")}

    def secret(self, text=SECRET):
        return ClientSecretCredential(TENANT, CLIENT, text, **self.settings)

    def upload(self, rows, credential=None, rule=RULE, stream=STREAM, **more):
        client = LogsIngestionClient(self.azure.url, credential or self.secret(), credential_scopes=["https://monitor.azure.com/.default"],
                                     connection_verify=str(self.pki / "ca.pem"), retry_backoff_factor=0.05, **more)
        with client:
            client.upload(rule_id=rule, stream_name=stream, logs=rows)

    def refusal(self, rows, **how):
        with self.assertRaises(HttpResponseError) as caught:
            self.upload(rows, **how)
        return caught.exception

    def taken(self):
        return [row["Sequence"] for row in self.azure.received()["rows"]]

    def test_a_secret_and_a_certificate_deliver(self):
        self.upload([a_row(1), a_row(2)])
        self.upload([a_row(3)], CertificateCredential(TENANT, CLIENT, str(self.pki / "both.pem"), **self.settings))
        self.assertEqual(self.taken(), [1, 2, 3])

    def test_a_wrong_secret_is_refused_at_the_token(self):
        with self.assertRaises(ClientAuthenticationError) as caught:
            self.upload([a_row(1)], self.secret("wrong"))
        self.assertIn("AADSTS7000215", str(caught.exception))
        self.assertEqual(self.taken(), [])

    def test_a_wrong_rule_and_a_wrong_stream_are_refused(self):
        self.assertEqual(self.refusal([a_row(1)], rule="dcr-other").status_code, 404)
        self.assertEqual(self.refusal([a_row(1)], stream="Custom-Other_CL").status_code, 400)
        self.assertEqual(self.taken(), [])

    def test_a_row_that_does_not_fit_its_columns_is_refused(self):
        self.assertEqual(self.refusal([{**a_row(1), "ObservedGeneration": "one"}]).status_code, 400)
        self.assertEqual(self.refusal([{**a_row(1), "Unknown": 1}]).status_code, 400)
        self.assertEqual(self.taken(), [])

    def test_429_and_503_are_tried_again(self):
        for status in (429, 503):
            self.azure.fault({"at": "ingest", "do": status, "retry_after": 0})
        self.upload([a_row(1)])
        self.assertEqual(self.taken(), [1])

    def test_a_revoked_token_is_refused(self):
        credential = self.secret()
        self.upload([a_row(1)], credential)
        self.azure.fault({"at": "ingest", "do": "expire"})
        self.assertEqual(self.refusal([a_row(2)], credential=credential).status_code, 401)
        self.assertEqual(self.taken(), [1])


if __name__ == "__main__":
    if shutil.which("openssl") is None:
        sys.exit(77)
    unittest.main(verbosity=2)
