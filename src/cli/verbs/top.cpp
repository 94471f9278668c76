// `top`: what status shows, again and again in the same place; with names their processes with memory and processor time.
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <tuple>
#include <utility>

#include "cli/interrupt.h"
#include "cli/table.h"
#include "cli/verb.h"
#include "cli/verbs/process_use.h"
#include "cli/verbs/processes.h"
#include "cli/verbs/status.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"

namespace forebay::cli {
namespace {

constexpr Duration every_usual = 1s, every_least = 100ms;
constexpr std::uint64_t count_max = 1'000'000'000;

/// The other screen of the terminal, without cursor and without echo. All is as it was when this goes.
class Screen {
  public:
    explicit Screen(Terminal& terminal) : terminal_(terminal) {
        is_raw_ = ::tcgetattr(STDIN_FILENO, &before_) == 0;
        if (is_raw_) {
            auto raw = before_;
            raw.c_lflag &= static_cast<tcflag_t>(~(ICANON | ECHO));
            ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
        }
        terminal_.result("\033[?1049h\033[?25l");
    }
    ~Screen() {
        terminal_.result("\033[?25h\033[?1049l");
        terminal_.flush();
        if (is_raw_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    void show(const std::string& text) {
        winsize size{};
        if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) size = {24, 80, 0, 0};
        std::string out = "\033[H";
        unsigned row = 0;
        auto cut = cut_lines(text, size.ws_col);
        std::string_view rest = cut;
        // What was in a line goes first: behind a full one the cursor stands on its last character.
        for (; row < size.ws_row && !rest.empty(); ++row) {
            auto end = rest.find('\n');
            out.append(row > 0 ? "\n" : "").append("\033[2K").append(rest.substr(0, end));
            rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        }
        terminal_.result(row < size.ws_row ? out + "\n\033[J" : out);
        terminal_.flush();
    }

    /// False when the person pressed q, or nobody is there any more.
    bool rest(Duration wait) {
        pollfd keys{STDIN_FILENO, POLLIN, 0};
        if (!is_raw_) {
            std::this_thread::sleep_for(wait);
            return true;
        }
        if (::poll(&keys, 1, static_cast<int>(wait.count())) <= 0) return true;
        char key = 0;
        return ::read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q';
    }

  private:
    Terminal& terminal_;
    termios before_{};
    bool is_raw_ = false;
};

class Top {
  public:
    explicit Top(Invocation& invocation) : invocation_(invocation), configuration_(invocation.whatever_is_configured()) {}

    /// Once, or so many times one below the other.
    int print(std::uint64_t count, Duration every) {
        CatchInterrupt catching;
        for (std::uint64_t n = 0; n < count && !CatchInterrupt::came(); ++n) {
            if (n > 0) {
                std::this_thread::sleep_for(every);
                terminal().result("\n");
            }
            auto text = look();
            if (!text) return text.error();
            terminal().result(*text);
            terminal().flush();
        }
        return exit_code::done;
    }

    int show(std::uint64_t count, Duration every) {
        auto first = look();  // what is wrong from the start is said on the ordinary screen
        if (!first) return first.error();
        CatchInterrupt catching;
        Screen screen(terminal());
        screen.show(*first);
        for (std::uint64_t n = 1; n < count && screen.rest(every) && !CatchInterrupt::came(); ++n) {
            auto text = look();
            screen.show(text ? *text : "Nobody answers; looking again. q ends.\n");
        }
        return exit_code::done;
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }

    Result<std::string, int> look() {
        auto seen = cli::look(invocation_, configuration_);
        bool is_first = std::exchange(is_first_, false);
        if (!seen.node && !seen.processes) {
            if (is_first) {
                terminal().complain(seen.why_no_node);
                terminal().complain(seen.why_no_processes);
            }
            return Failure{int{exit_code::cannot_tell}};
        }
        auto now = invocation_.world().clock.wall();
        if (seen.processes) {
            auto by_name = [](const SeenProcess& a, const SeenProcess& b) {
                return std::tie(a.process.group, a.process.worker, a.process.n) < std::tie(b.process.group, b.process.worker, b.process.n);
            };
            std::sort(seen.processes->begin(), seen.processes->end(), by_name);
        }
        if (invocation_.words().empty()) return screen_of(seen, configuration_, now, terminal());
        if (!seen.processes) {
            if (is_first)
                terminal().complain(seen.is_elsewhere ? "the processes of another node cannot be seen from here" : seen.why_no_processes);
            return Failure{int{exit_code::cannot_tell}};
        }
        auto processes = processes_of(seen);
        if (auto name = unknown_name(invocation_.words(), processes)) return Failure{refuse_name(invocation_, *name, processes)};
        return table_of(chosen_of(seen, invocation_.words()), now);
    }

    std::string table_of(const std::vector<SeenProcess>& processes, Timestamp now) {
        Table table({"PROCESS", ">PID", "STATE", ">CPU%", ">RSS", ">UPTIME", ">RESTARTS", ">RATE", ">P95", "WHY"});
        for (const auto& seen : processes) {
            std::vector<Cell> row{
                seen.full_name(), seen.process.pid == 0 ? "-" : std::to_string(seen.process.pid), {seen.state(), seen.colour()}};
            auto use = seen.process.pid == 0 ? std::nullopt : uses_.look(seen.process.pid, invocation_.world().clock.now());
            row.emplace_back(use ? fmt::format("{:.1f}", use->cpu * 100) : "-");
            row.emplace_back(use ? about_size(use->rss_bytes) : "-");
            row.emplace_back(seen.process.pid == 0 ? "-" : uptime_text(now - seen.process.since));
            row.emplace_back(grouped(seen.process.restarts));
            row.emplace_back(seen.standing ? rate_text(seen.standing->recent.settled_in_last_minute(now)) : "-");
            row.emplace_back(seen.standing ? latency_text(seen.standing->recent.p95(now)) : "-");
            row.emplace_back(seen.is_running() ? std::string() : seen.remark(now));
            table.add(std::move(row));
        }
        return table.text(terminal());
    }

    Invocation& invocation_;
    Configuration configuration_;
    ProcessUses uses_;
    bool is_first_ = true;
};

}  // namespace

int run_top(Invocation& invocation) {
    auto every = invocation.value("every") ? parse_duration(*invocation.value("every")) : std::optional(every_usual);
    if (!every || *every < every_least) return invocation.misused("--every must be a time of at least 100ms, such as 2s");
    bool is_shown = invocation.terminal().is_terminal() && !invocation.terminal().wants_json() && !invocation.terminal().is_quiet();
    auto count = invocation.number("count", is_shown ? count_max : 1, 1, count_max);
    if (!count) return invocation.misused("--count must be a number from 1");
    if (invocation.terminal().wants_json()) return run_status(invocation);
    return is_shown ? Top(invocation).show(*count, *every) : Top(invocation).print(*count, *every);
}

}  // namespace forebay::cli
