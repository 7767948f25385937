"""Reads manifests from standard input as Kubernetes does (YAML 1.1), checks each against the schemas of the versions that are
named, strictly, and writes them as JSON."""

import json
import sys

import kubernetes_validate
import yaml

documents = list(yaml.safe_load_all(sys.stdin.buffer.read().decode()))
for version in sys.argv[1:]:
    if version == "latest":
        version = kubernetes_validate.latest_version()
    for document in documents:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            place = "/".join(str(part) for part in error.path)
            sys.exit(f"{document['kind']} for {version}: {place}: {error.message}")
json.dump(documents, sys.stdout)
