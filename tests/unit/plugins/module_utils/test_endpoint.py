# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.mirrorops.event_streams.plugins.module_utils import _errors
from ansible_collections.mirrorops.event_streams.plugins.module_utils._endpoint import check_endpoint, is_loopback


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://iam.cloud.ibm.com", "https://iam.cloud.ibm.com"),
        (" https://proxy.example.com/iam/ ", "https://proxy.example.com/iam"),
        ("https://proxy.example.com:8443/iam//", "https://proxy.example.com:8443/iam"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.9.9.9/x", "http://127.9.9.9/x"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_endpoints(url: str, result: str) -> None:
    assert check_endpoint(url, "iam_endpoint") == result


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://iam.cloud.ibm.com", "unencrypted to iam.cloud.ibm.com"),
        ("http://localhost.example.com", "unencrypted"),
        ("http://127.0.0.1.example.com", "unencrypted"),
        ("http://0.0.0.0", "unencrypted"),
        ("http://10.0.0.1", "unencrypted"),
        ("http://2130706433", "unencrypted"),
        ("http://[::ffff:10.0.0.1]", "unencrypted"),
        ("ftp://iam.cloud.ibm.com", "not an http"),
        ("iam.cloud.ibm.com", "not an http"),
        ("//iam.cloud.ibm.com", "not an http"),
        ("https://", "not an http"),
        ("https:///path", "not an http"),
        ("", "not an http"),
        ("https://u:p@iam.cloud.ibm.com", "neither user"),
        ("https://u@iam.cloud.ibm.com", "neither user"),
        ("https://iam.cloud.ibm.com?x=1", "neither user"),
        ("https://iam.cloud.ibm.com#x", "neither user"),
        ("https://iam.cloud.ibm.com:99999", "not a URL"),
        ("https://iam.cloud.ibm.com:port", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://iam.cloud.ibm.com?", "neither user"),
        ("https://iam.cloud.ibm.com#", "neither user"),
        ("https://@iam.cloud.ibm.com", "neither user"),
        ("https://iam.cloud.ibm.com:0", "not an http"),
        ("https://iam..cloud.ibm.com", "not an http"),
        ("https://.", "not an http"),
        ("https://" + "a" * 64 + ".com", "not an http"),
    ],
)
def test_endpoints_that_are_refused(url: str, why: str) -> None:
    with pytest.raises(_errors.InvalidInput, match="iam_endpoint") as caught:
        check_endpoint(url, "iam_endpoint")
    assert why in caught.value.reason
    assert "loopback addresses only" in caught.value.remedy
    assert "u:p" not in caught.value.message


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.0.3", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.", False),
        ("example.com", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback(host: str | None, expected: bool) -> None:
    assert is_loopback(host) is expected
