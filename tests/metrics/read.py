"""Reads metrics from standard input as somebody else would, and writes JSON to standard output.

The text formats are read by prometheus_client, OpenMetrics by its reference parser, which refuses what the specification
does not allow; the protobuf format by Google's protobuf with the messages of metrics.proto, which is that of
prometheus/client_model.
"""

import json
import math
import pathlib
import sys
import tempfile


def of_text(families):
    samples, heads = [], {}
    for family in families:
        heads[family.name] = {"type": family.type, "unit": family.unit, "help": family.documentation}
        for sample in family.samples:
            samples.append([sample.name, sample.labels, str(float(sample.value))])
    return {"samples": samples, "families": heads, "native": []}


def messages():
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    from grpc_tools import protoc
    import grpc_tools

    here = pathlib.Path(__file__).parent
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    with tempfile.NamedTemporaryFile() as out:
        code = protoc.main(
            ["protoc", f"-I{here}", f"-I{well_known}", f"--descriptor_set_out={out.name}", "--include_imports",
             str(here / "metrics.proto")]
        )
        assert code == 0, code
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("io.prometheus.client.MetricFamily"))


def delimited(data, kind):
    at = 0
    while at < len(data):
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield kind.FromString(data[at:at + length])
        at += length


def of_protobuf(data):
    kind = messages()
    names = kind.DESCRIPTOR.fields_by_name["type"].enum_type.values_by_number
    samples, heads, native = [], {}, []
    for family in delimited(data, kind):
        assert family.name not in heads, f"{family.name} is there twice"
        refuse_unknown_fields(family)
        heads[family.name] = {
            "type": names[family.type].name.lower(), "unit": family.unit, "help": family.help,
        }
        for metric in family.metric:
            labels = {pair.name: pair.value for pair in metric.label}
            assert len(labels) == len(metric.label), metric
            which = [name for name in ("gauge", "counter", "histogram") if metric.HasField(name)]
            assert len(which) == 1, metric
            value = getattr(metric, which[0])
            if which[0] != "histogram":
                samples.append([family.name, labels, str(float(value.value))])
                continue
            for bucket in value.bucket:
                le = "+Inf" if math.isinf(bucket.upper_bound) else repr(bucket.upper_bound)
                samples.append(
                    [f"{family.name}_bucket", labels | {"le": le}, str(float(bucket.cumulative_count))]
                )
            samples.append([f"{family.name}_sum", labels, str(value.sample_sum)])
            samples.append([f"{family.name}_count", labels, str(float(value.sample_count))])
            if value.zero_threshold > 0:
                native.append([family.name, labels, value.schema, expanded(value), value.sample_count])
    return {"samples": samples, "families": heads, "native": native}


def refuse_unknown_fields(message):
    from google.protobuf.unknown_fields import UnknownFieldSet

    assert len(UnknownFieldSet(message)) == 0, message
    for field, value in message.ListFields():
        if field.message_type is not None:
            for part in value if isinstance(value, (list, tuple)) or hasattr(value, "append") else [value]:
                refuse_unknown_fields(part)


def expanded(value):
    """The native buckets: upper edge and count, as Prometheus reads spans and deltas."""
    buckets, index, count, deltas = [], 0, 0, iter(value.positive_delta)
    for span in value.positive_span:
        index += span.offset
        for _ in range(span.length):
            count += next(deltas)
            buckets.append([2 ** (index * 2 ** -value.schema), count])
            index += 1
    assert next(deltas, None) is None
    return buckets


def main():
    form, data = sys.argv[1], sys.stdin.buffer.read()
    if form == "protobuf":
        result = of_protobuf(data)
    elif form == "openmetrics":
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
        result = of_text(text_string_to_metric_families(data.decode()))
    else:
        from prometheus_client.parser import text_string_to_metric_families
        result = of_text(text_string_to_metric_families(data.decode()))
    json.dump(result, sys.stdout)


main()
