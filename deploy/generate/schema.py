"""values.schema.json: the chart's own values, and for `settings` the product's, without what the chart itself sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from cordboard.settings import Settings
from deploy.generate.values import Chart

# Where processes listen and where their secrets are is the chart's to say; a secret in values would be in the release.
SET_BY_THE_CHART: Final[Mapping[str, frozenset[str]]] = {
    "Settings": frozenset({"accounts", "identities_file", "tls"}),
    "Peers": frozenset({"secret", "secret_file"}),
    "Log": frozenset({"path"}),
    "Grpc": frozenset({"host", "port", "advertise"}),
    "Ingress": frozenset({"host", "port", "spool"}),
    "Operations": frozenset({"host", "port"}),
    "Kafka": frozenset(
        {"ca_file", "certificate_file", "key_file", "sasl_password", "sasl_password_file", "oauth_token_file"}
    ),
    "Account": frozenset({"api_key", "api_key_file", "dial_url_secret", "dial_url_secret_file", "forward_url"}),
    "Recorder": frozenset({"kind", "path", "url", "url_file"}),
    "Sealing": frozenset({"key_file"}),
    "Rest": frozenset({"host", "port"}),
}
# Keys that need a passphrase have no place in the chart: a Secret holds the key as it is.
_NOT_OFFERED: Final = frozenset({"key_password", "key_password_file"})
_NOISE: Final = frozenset({"title", "default", "format", "writeOnly"})


def schema() -> bytes:
    """The file's content."""
    product = _product()
    account = product["$defs"].pop("Account")
    account["required"] = ["webhook_public_key"]
    chart = _quiet(Chart.model_json_schema(by_alias=True))
    chart["$defs"].pop("Values", None)
    chart["properties"]["settings"] = {"$ref": "#/$defs/CordboardSettings"}
    chart["$defs"]["Account"]["properties"]["settings"] = {"$ref": "#/$defs/CordboardAccount"}
    definitions = {**product.pop("$defs"), "Settings": product, "Account": account}
    chart["$defs"] |= {f"Cordboard{name}": _renamed(value) for name, value in definitions.items()}
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **chart}
    return orjson.dumps(made, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _product() -> dict[str, Any]:
    made: dict[str, Any] = _quiet(Settings.model_json_schema())
    for name, taken in SET_BY_THE_CHART.items():
        section = made if name == "Settings" else made["$defs"].get(name, {"properties": {}})
        for field in taken | _NOT_OFFERED:
            section["properties"].pop(field, None)
    made["$defs"].pop("Tls")  # All of it is the chart's.
    return made


def _quiet(value: Any) -> Any:
    """Without what nobody needs who reads an error. A property may be called `default`; its schema is a table."""
    if isinstance(value, list):
        return [_quiet(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _quiet(one) for key, one in value.items() if key not in _NOISE or (isinstance(one, dict) and "type" in one)
    }


def _renamed(value: Any) -> Any:
    """The product's definitions stand beside the chart's, under names of their own."""
    if isinstance(value, list):
        return [_renamed(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: one.replace("#/$defs/", "#/$defs/Cordboard") if key == "$ref" else _renamed(one)
        for key, one in value.items()
    }
