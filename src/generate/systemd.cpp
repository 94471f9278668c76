#include "generate/systemd.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "base/spawn.h"
#include "generate/crontab.h"
#include "generate/text.h"

namespace forebay::generate {
namespace {

constexpr std::string_view state_folder = "/var/lib/";
constexpr Duration start_most = 10min;  ///< a long log to read

std::string line(std::string_view key, const std::string& value) { return std::string(key) + "=" + value + "\n"; }
std::string seconds(Duration duration) { return std::to_string(whole_seconds(duration)) + "s"; }

std::string without_specifiers(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '%' ? "%%" : std::string(1, c);
    return out;
}

bool is_in(std::string_view path, std::string_view folder) {
    return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

/// Every path that the service must see.
std::vector<std::string> paths_of(const Processes& all) {
    auto paths = all.written;
    paths.insert(paths.end(), all.read.begin(), all.read.end());
    paths.insert(paths.end(), {all.binary, all.file, all.directory, all.data_dir});
    return paths;
}

bool uses(const Processes& all, std::initializer_list<std::string_view> folders) {
    auto paths = paths_of(all);
    return std::any_of(paths.begin(), paths.end(), [&](const auto& path) {
        return std::any_of(folders.begin(), folders.end(), [&](auto folder) { return is_in(path, folder); });
    });
}

bool is_state(const Processes& all) { return all.data_dir.starts_with(state_folder); }

std::string head(const Processes& all, const std::string& options) {
    return "# Made by `forebay generate systemd" + options + "` from " + all.file + ". Change that and make this anew.\n";
}

std::string installation(const Processes& all, const std::string& options, const std::string& enabled) {
    std::string out =
        "#\n# To install it:\n"
        "#   useradd --system --home-dir / --shell /usr/sbin/nologin forebay\n";
    if (!is_state(all)) out += "#   install -d -o forebay -m 700 " + shell_word(all.data_dir) + "\n";
    for (const auto& folder : all.written) out += "#   install -d -o forebay " + shell_word(folder) + "\n";
    bool is_one = options.empty();
    out += "#   forebay generate systemd" + options +
           (is_one ? " --out /etc/systemd/system/forebay.service" : " --out /etc/systemd/system") + " -c " + shell_word(all.file) +
           "\n#   systemctl daemon-reload && systemctl enable --now " + enabled + "\n";
    return out;
}

std::string loosening(const std::string& unit) {
    return "#\n# What exec and program workers start has these limits too. Where one needs more: systemctl edit " + unit +
           "\n#   [Service]\n"
           "#   MemoryDenyWriteExecute=no       # Node.js, Java, PHP with opcache.jit or pcre.jit: code made while it runs\n"
           "#   SystemCallFilter=@privileged    # changes owners or users\n"
           "#   ReadWritePaths=/srv/uploads     # writes there\n"
           "#   PrivateTmp=no                   # shares /tmp with others\n";
}

std::string restarts() {
    return "Restart=always\nRestartSec=200ms\n"
           "# A configuration that is refused is refused again.\n"
           "RestartPreventExitStatus=64 78\n"
           "# One process that runs out of memory is started again by itself; the others go on.\n"
           "OOMPolicy=continue\nOOMScoreAdjust=-500\nLimitNOFILE=65536\nUMask=0077\n";
}

std::string places(const Processes& all) {
    std::string out = "User=forebay\nWorkingDirectory=" + without_specifiers(all.directory) + "\n";
    std::string written;
    if (is_state(all))
        out += "StateDirectory=" + unit_word(all.data_dir.substr(state_folder.size())) + "\nStateDirectoryMode=0700\n";
    else
        written = unit_word(all.data_dir);
    for (const auto& folder : all.written) written += (written.empty() ? "" : " ") + unit_word(folder);
    if (!written.empty()) out += line("ReadWritePaths", written);
    return out;
}

std::string limits(const Processes& all) {
    std::string out = "NoNewPrivileges=yes\nProtectSystem=strict\n";
    if (uses(all, {"/home", "/root", "/run/user"}))
        out += "# Something of it lies there.\nProtectHome=read-only\n";
    else
        out += "ProtectHome=yes\n";
    if (uses(all, {"/tmp", "/var/tmp"}))
        out += "# Something of it lies there, for others to see.\nPrivateTmp=no\n";
    else
        out += "PrivateTmp=yes\n";
    if (all.has_low_port)
        out += "AmbientCapabilities=CAP_NET_BIND_SERVICE\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n";
    else
        out += "CapabilityBoundingSet=\nPrivateUsers=yes\n";
    return out +
           "PrivateDevices=yes\nPrivateMounts=yes\nProtectClock=yes\nProtectControlGroups=yes\nProtectHostname=yes\nProtectKernelLogs=yes\n"
           "ProtectKernelModules=yes\nProtectKernelTunables=yes\nProtectProc=invisible\nProcSubset=pid\nRemoveIPC=yes\n"
           "LockPersonality=yes\nMemoryDenyWriteExecute=yes\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\nRestrictNamespaces=yes\n"
           "RestrictRealtime=yes\nRestrictSUIDSGID=yes\nSystemCallArchitectures=native\nSystemCallErrorNumber=EPERM\n"
           "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n";
}

std::string command_of(const Processes& all, const std::string& verb) {
    auto out = unit_word(all.binary) + " " + verb + " -c " + exec_word(all.file);
    return all.environment.empty() ? out : out + " -e " + exec_word(all.environment);
}

/// Those of the lowest number stop last; each number waits for the slowest of its processes.
Duration stop_time(const Processes& all) {
    constexpr Duration spare = 5s;
    std::map<int, Duration> waits;
    for (const auto& worker : all.workers) waits[worker.priority] = std::max(waits[worker.priority], worker.stopwaitsecs);
    auto total = spare + (all.has_node ? all.drain : Duration::zero());
    for (const auto& [priority, wait] : waits) total += wait;
    return total;
}

Unit whole(const Processes& all, UnitOptions options) {
    std::string given = options.socket ? " --socket" : "";
    auto text = head(all, given) + installation(all, given, options.socket ? "forebay.socket forebay.service" : "forebay.service") +
                loosening("forebay") + "\n[Unit]\nDescription=Forebay: takes submissions that must not be lost (" +
                without_specifiers(all.node_name) +
                ")\n"
                "Wants=network-online.target\nAfter=network-online.target\n";
    if (options.socket) text += "Requires=forebay.socket\nAfter=forebay.socket\n";
    text += "StartLimitIntervalSec=0\n\n[Service]\nType=notify\nNotifyAccess=main\n" + line("ExecStart", command_of(all, "serve")) +
            "ExecReload=/bin/kill -HUP $MAINPID\n# The parent stops its children in their order.\nKillMode=mixed\n" +
            line("TimeoutStartSec", seconds(start_most)) + line("TimeoutStopSec", seconds(stop_time(all))) + "WatchdogSec=10s\n" +
            restarts() + places(all) + limits(all) + "\n[Install]\nWantedBy=multi-user.target\n";
    return {"forebay.service", text};
}

Unit socket(const Processes& all) {
    auto text = head(all, " --socket") +
                "# Posts wait here while the service starts again.\n\n[Unit]\nDescription=Forebay: where posts come in\n\n[Socket]\n";
    for (const auto& listen : all.listens) text += line("ListenStream", listen);
    return {"forebay.socket",
            text + "FileDescriptorName=http\nBacklog=4096\nNoDelay=yes\nService=forebay.service\n\n[Install]\nWantedBy=sockets.target\n"};
}

std::string unit_of(const WorkerProcesses& worker, std::uint32_t n) {
    return n == 0 ? "forebay-node.service" : "forebay-" + worker.name + "@" + std::to_string(n) + ".service";
}

Unit node_unit(const Processes& all) {
    auto text = head(all, " --split") + loosening("forebay-node") + "\n[Unit]\nDescription=Forebay: intake and queues (" +
                without_specifiers(all.node_name) +
                ")\n"
                "Wants=network-online.target\nAfter=network-online.target\nPartOf=forebay.target\nStartLimitIntervalSec=0\n\n"
                "[Service]\nType=exec\n" +
                line("ExecStart", command_of(all, "node")) + "ExecReload=/bin/kill -HUP $MAINPID\n" +
                line("TimeoutStopSec", seconds(all.drain)) + restarts() + places(all) + limits(all) +
                "\n[Install]\nWantedBy=forebay.target\n";
    return {"forebay-node.service", text};
}

std::string expected_only(const std::vector<int>& exits) {
    std::string out = "Restart=on-failure\nSuccessExitStatus=";
    for (int code : exits) out += (out.ends_with('=') ? "" : " ") + std::to_string(code);
    return out;
}

Unit worker_unit(const Processes& all, const WorkerProcesses& worker) {
    auto file = [](const std::string& path) { return "append:" + replace_names(without_specifiers(path), {{"n", "%i"}}); };
    auto errors = worker.error_log.empty() ? "" : line("StandardError", file(worker.error_log));
    auto umask = worker.umask.empty() ? "" : line("UMask", "0" + worker.umask);
    auto text = head(all, " --split") + loosening("forebay-" + worker.name + "@") + "\n[Unit]\nDescription=Forebay: worker " + worker.name +
                ":%i\nPartOf=forebay.target\n" + (all.has_node ? "Wants=forebay-node.service\nAfter=forebay-node.service\n" : "") +
                "StartLimitIntervalSec=0\n\n[Service]\nType=exec\n" + line("ExecStart", command_of(all, "work " + worker.name + " %i")) +
                line("KillSignal", "SIG" + worker.stopsignal) + line("TimeoutStopSec", seconds(worker.stopwaitsecs)) +
                line("StandardOutput", file(worker.log)) + errors + umask + restarts() + places(all) + limits(all) +
                "\n[Install]\nWantedBy=forebay.target\n";
    if (!worker.autorestart) text.replace(text.find("Restart=always"), 14, "Restart=no");
    if (!worker.expected_exits.empty()) text.replace(text.find("Restart=always"), 14, expected_only(worker.expected_exits));
    return {"forebay-" + worker.name + "@.service", text};
}

Unit target(const Processes& all) {
    std::string wants;
    if (all.has_node) wants += " forebay-node.service";
    for (const auto& worker : all.workers)
        for (std::uint32_t n = 1; worker.autostart && n <= worker.count; ++n) wants += " " + unit_of(worker, n);
    auto text = head(all, " --split") + installation(all, " --split", "forebay.target");
    text += "#   install -d -o forebay";
    for (const auto& folder : log_folders(all)) text += " " + shell_word(folder);
    text +=
        "\n#\n# It stands in for `forebay serve`: never run both. systemctl and journalctl do what forebay start, stop, restart and tail "
        "do.\n";
    if (!all.schedules.empty())
        text += "# Nobody runs the schedules then: crontab lines (schedules about processes in root's, the others in forebay's):\n";
    for (const auto& worker : all.workers)
        if (worker.count_max > worker.count)
            text += "# Of " + worker.name + " there are " + std::to_string(worker.count) + ", however much there is to do, not up to " +
                    std::to_string(worker.count_max) + ".\n";
    auto restart = [&](const ScheduledRun& run) {
        std::vector<std::string> names;
        for (const auto& pattern : run.processes)
            for (auto& name : names_of_processes(all, pattern, unit_of)) names.push_back(std::move(name));
        return rolling("systemctl", run.verb, names);
    };
    for (const auto& one : crontab_lines(all, restart)) text += "#   " + one + "\n";
    text += "\n[Unit]\nDescription=Forebay: node and workers\nWants=" + wants.substr(wants.empty() ? 0 : 1) +
            "\n\n[Install]\nWantedBy=multi-user.target\n";
    return {"forebay.target", text};
}

std::string quoted(std::string_view word, bool is_command) {
    std::string out;
    bool is_plain = !word.empty();
    for (char c : word) {
        bool is_safe =
            std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("/._-+=:,@%$").find(c) != std::string_view::npos;
        is_plain = is_plain && (is_safe || static_cast<unsigned char>(c) >= 0x80);
        if (c == '"' || c == '\\') out += '\\';
        out += c;
        if (c == '%' || (c == '$' && is_command)) out += c;
    }
    return is_plain ? out : "\"" + out + "\"";
}

}  // namespace

std::string exec_word(std::string_view word) { return quoted(word, true); }
std::string unit_word(std::string_view word) { return quoted(word, false); }

std::vector<Unit> systemd_units(const Processes& all, UnitOptions options) {
    if (!options.split) {
        std::vector<Unit> units = {whole(all, options)};
        if (options.socket) units.push_back(socket(all));
        return units;
    }
    std::vector<Unit> units = {target(all)};
    if (all.has_node) units.push_back(node_unit(all));
    for (const auto& worker : all.workers) units.push_back(worker_unit(all, worker));
    return units;
}

}  // namespace forebay::generate
