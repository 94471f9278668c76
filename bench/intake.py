"""Durable posts beside nginx `return 200` (one worker) and Redis with `appendfsync always`, in alternating rounds."""
import json
import os
import re

from measure import (ROOT, ROUNDS, SECONDS_EACH, accepts, cpu_seconds, forebay, free_port, median, ratio, run_counted, server, show,
                     temporary_folder, wrk)

CONFIGURATION = """
connections_per_client = 2000
[endpoint.lead]
path = "/v1/lead"
accepts = ["json"]
queue = "leads"
[endpoint.lead.fields]
email      = { type = "email", required = true, clean = ["trim", "lower"] }
first_name = { type = "string", required = true, max = 80 }
last_name  = { type = "string", required = true, max = 80 }
phone      = { type = "phone", region = "US", required = true }
state      = { type = "enum", values = "@us_states", clean = ["upper"] }
zip        = { type = "string", pattern = '^\\d{5}(-\\d{4})?$' }
amount     = { type = "integer", min = 1000, max = 1000000 }
campaign   = { type = "string", required = true, max = 64 }
[queue.leads]
visibility_timeout = "30s"
"""
WORKER = """
[db.main]
driver = "sqlite"
path = "forebay.db"
[worker.store]
queue = "leads"
handler = "sql"
batch = { size = 10 }
[worker.store.sql]
db = "main"
table = "leads"
create = true
"""
NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "ok"; }} }} }}
"""
POST = os.path.join(ROOT, "bench/post.lua")


def redis_round(port, pid):
    body = "x" * 270
    before = cpu_seconds(pid)
    count = 60000 * SECONDS_EACH
    out, load_cpu = run_counted(["redis-benchmark", "-p", str(port), "-c", "64", "-n", str(count), "--csv", "XADD", "s",
                                 "*", "b", body])
    rate = float(re.findall(r'"([\d.]+)"', out.splitlines()[-1])[0])
    return {"rate": rate, "cpu_us": (cpu_seconds(pid) - before) / count * 1e6, "load_cpu_us": load_cpu / count * 1e6}


def main():
    with temporary_folder() as folder:
        nginx, redis = free_port(), free_port()
        with open(f"{folder}/nginx.conf", "w") as f:
            f.write(NGINX.format(folder=folder, port=nginx))
        rounds = {name: [] for name in ("forebay 64", "nginx 64", "redis 64", "forebay 256", "nginx 256")}
        with server(["nginx", "-c", f"{folder}/nginx.conf"], accepts(nginx), stderr=-3) as n, \
             server(["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                     "--auto-aof-rewrite-percentage", "0", "--dir", folder], accepts(redis), stdout=-3) as r:
            with forebay(f"{folder}/a", CONFIGURATION) as (ports, pid):
                url = f"http://127.0.0.1:{ports['intake']}/v1/lead"
                wrk(url, 64, POST, pid)  # not counted: warms up, and spare segments are made meanwhile
                for _ in range(ROUNDS):
                    rounds["forebay 64"].append(wrk(url, 64, POST, pid))
                    rounds["nginx 64"].append(wrk(f"http://127.0.0.1:{nginx}/", 64, POST, n.pid))
                    rounds["redis 64"].append(redis_round(redis, r.pid))
                    rounds["forebay 256"].append(wrk(url, 256, POST, pid))
                    rounds["nginx 256"].append(wrk(f"http://127.0.0.1:{nginx}/", 256, POST, n.pid))
        for name, values in rounds.items():
            show(name, values)
        with forebay(f"{folder}/b", CONFIGURATION + WORKER) as (ports, pid):
            with_worker = [wrk(f"http://127.0.0.1:{ports['intake']}/v1/lead", 64, POST, pid) for _ in range(2)]
        show("forebay 64, worker on", with_worker)
        rate = {name: median(values, "rate") for name, values in rounds.items()}
        print(json.dumps({
            "bench": "intake",
            "ratio": {"redis": ratio(rounds["forebay 64"], rounds["redis 64"]), "nginx": ratio(rounds["forebay 64"], rounds["nginx 64"]),
                      "nginx_256": ratio(rounds["forebay 256"], rounds["nginx 256"])},
            "cpu_us": {name.replace(" ", "_"): round(median(values, "cpu_us"), 2) for name, values in rounds.items()},
            "per_second": {name.replace(" ", "_"): round(value) for name, value in rate.items()},
            "with_worker_per_second": round(median(with_worker, "rate")),
            "rounds": ROUNDS,
        }))


main()
