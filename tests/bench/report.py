"""The tables and the plots."""
import os
import pathlib
import platform
import statistics
import time

from measure import median, series
from workloads import LIBRARIES, RAW


def number(value, digits=None):
    if value is None:
        return "-"
    if digits is None:
        digits = 2 if abs(value) < 100 else 0
    return f"{value:,.{digits}f}"


def spread(runs, key):
    values = series(runs, key)
    return f"{number(min(values))}..{number(max(values))}" if values else "-"


def ratio(runs, raw_runs, key):
    value, base = median(runs, key), median(raw_runs, key)
    return f"{value / base:.2f}" if value is not None and base else "-"


def table(header, rows):
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]

    def line(row):
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 1) + (":" if index else "-") for index, width in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


def work_table(runs):
    raw = runs.get(RAW, [])
    rows = []
    for client, own in runs.items():
        rows.append([client, number(median(own, "cpu")), spread(own, "cpu"), ratio(own, raw, "cpu"),
                     number(median(own, "cpu_user_us_per_trip")), number(median(own, "cpu_sys_us_per_trip")),
                     number(median(own, "rate"), 0), spread(own, "rate"), ratio(own, raw, "rate"),
                     number(median(own, "latency p50")), number(median(own, "latency p99")),
                     ratio(own, raw, "latency p99"), number(median(own, "latency p99.9")), number(median(own, "server_cpu_us_per_trip"))])
    return table(["client", "CPU us/trip", "min..max", "x raw", "user", "sys", "trips/s", "min..max", "x raw",
                  "p50 us", "p99 us", "x raw", "p99.9 us", "server us/trip"], rows)


def idle_table(runs):
    raw = runs.get(RAW, [])
    rows = []
    for client, own in runs.items():
        kernel = median(own, "kernel_per_connection_bytes")
        rows.append([client, number(median(own, "rss_per_connection_bytes"), 0),
                     ratio(own, raw, "rss_per_connection_bytes"), spread(own, "rss_per_connection_bytes"),
                     "unreadable" if kernel is None else number(kernel, 0),
                     number(median(own, "connects_per_second"), 0), spread(own, "connects_per_second"),
                     ratio(own, raw, "connects_per_second"), number(median(own, "cpu_us_per_connect")),
                     ratio(own, raw, "cpu_us_per_connect")])
    return table(["client", "resident bytes", "x raw", "min..max", "kernel bytes, both ends", "connects/s", "min..max",
                  "x raw", "CPU us/connect", "x raw"], rows)


def summary_table(results, clients):
    rows = []
    for workload, runs in results:
        if workload.clients != LIBRARIES or RAW not in runs:
            continue
        raw = runs.get(RAW, [])
        cells = [f"{ratio(runs[client], raw, 'cpu')} / {ratio(runs[client], raw, 'rate')}" if client in runs else "-"
                 for client in clients]
        rows.append([workload.heading(), *cells])
    return table(["CPU / throughput, as multiples of raw's", *clients], rows)


def machine():
    model = "unknown processor"
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{os.cpu_count()} x {model}, Linux {platform.release().split('-')[0]}"


def report(results, clients, not_run, rounds, scale):
    when = time.strftime("%Y-%m-%d", time.gmtime())
    parts = ["## Latest figures", "",
             f"{when}; {machine()}; medians of {rounds} round{'s' if rounds > 1 else ''}; {scale:g} % of the usual messages.", ""]
    if any(workload.clients == LIBRARIES for workload, _ in results):
        parts += [summary_table(results, [client for client in clients if client in LIBRARIES and client != RAW]), ""]
    for workload, runs in results:
        parts += [f"### {workload.heading()}", "", (work_table if workload.messages else idle_table)(runs), ""]
    parts += ["### Not run", ""]
    parts += [f"- {text}" for text in not_run] or ["- nothing was left out"]
    return "\n".join(parts)


def draw_plots(results, clients, output):
    import matplotlib  # pylint: disable=import-outside-toplevel
    matplotlib.use("Agg")
    from matplotlib import pyplot  # pylint: disable=import-outside-toplevel

    def bars(key, title, unit, wanted, path):
        if not wanted:
            return
        figure, axes = pyplot.subplots(figsize=(max(8, 1.3 * len(wanted)), 5))
        width = 0.85 / len(clients)
        for index, client in enumerate(clients):
            places, middles, below, above = [], [], [], []
            for place, (_, runs) in enumerate(wanted):
                values = series(runs.get(client, []), key)
                if not values:
                    continue
                middle = statistics.median(values)
                places.append(place + (index - (len(clients) - 1) / 2) * width)
                middles.append(middle)
                below.append(middle - min(values))
                above.append(max(values) - middle)
            axes.bar(places, middles, width, yerr=[below, above], label=client, error_kw={"linewidth": 0.7})
        axes.set_xticks(range(len(wanted)), [workload.name for workload, _ in wanted], rotation=30, ha="right")
        axes.set_ylabel(unit)
        axes.set_yscale("log")
        axes.set_title(title)
        axes.legend(fontsize=8)
        figure.tight_layout()
        figure.savefig(output / path, dpi=110)
        pyplot.close(figure)

    work = [entry for entry in results if entry[0].messages]
    idle = [entry for entry in results if not entry[0].messages]
    bars("cpu", "CPU of the client per round trip", "us (less is better)", work, "cpu.png")
    bars("rate", "Round trips per second", "1/s (more is better)", work, "throughput.png")
    bars("latency p99", "Latency, 99th percentile", "us (less is better)", work, "latency.png")
    bars("rss_per_connection_bytes", "Resident memory per idle station", "bytes (less is better)", idle, "memory.png")
    bars("connects_per_second", "Connects per second", "1/s (more is better)", idle, "connects.png")
