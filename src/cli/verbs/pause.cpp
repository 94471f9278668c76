// `pause` and `resume`: queues that hand out nothing and workers that take nothing, until somebody says otherwise.
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "base/durable_file.h"
#include "cli/admin_client.h"
#include "cli/process/paths.h"
#include "cli/similar.h"
#include "cli/verb.h"
#include "cli/verbs/pauses.h"
#include "cli/verbs/verbs.h"
#include "cli/words.h"
#include "http/message.h"
#include "worker/pause.h"

namespace forebay::cli {
namespace {

/// `queue.leads` as its two words.
struct Thing {
    std::string kind, name;
    std::string text() const { return kind + "." + name; }
};

class Pauses {
  public:
    Pauses(Invocation& invocation, bool pauses)
        : invocation_(invocation),
          pauses_(pauses),
          configuration_(invocation.whatever_is_configured()),
          admin_(invocation),
          now_(invocation.world().clock.wall()),
          by_(who_asks(invocation)) {}

    int run() {
        if (!pauses_ && invocation_.words() == std::vector<std::string>{"node"}) return undrain(invocation_);
        std::vector<Thing> things;
        for (const auto& word : invocation_.words()) {
            auto dot = word.find('.');
            Thing thing{word.substr(0, dot), dot == std::string::npos ? std::string() : word.substr(dot + 1)};
            if (int code = check(word, thing); code != 0) return code;
            things.push_back(std::move(thing));
        }
        if (invocation_.has("dry-run")) return would(things);
        if (pauses_ && !invocation_.is_agreed("pause " + names_of(things) + "?")) return exit_code::done;
        int worst = exit_code::done;
        for (const auto& thing : things) worst = std::max(worst, thing.kind == "queue" ? turn_queue(thing) : turn_worker(thing));
        if (terminal().wants_json()) terminal().result_json(json::Value().set(pauses_ ? "paused" : "resumed", std::move(told_)));
        return worst;
    }

  private:
    Terminal& terminal() { return invocation_.terminal(); }
    std::string verb() const { return pauses_ ? "pause" : "resume"; }

    static std::string names_of(const std::vector<Thing>& things) {
        std::string out;
        for (const auto& thing : things) out += (out.empty() ? "" : ", ") + thing.text();
        return out;
    }

    // ---- names

    int check(const std::string& word, const Thing& thing) {
        if (thing.kind == "partner") return invocation_.misused("partners are not in this version, so there is none to " + verb());
        if (word == "node") return invocation_.misused("a whole node is not paused but drained: forebay drain");
        if (thing.kind == "queue") return check_queue(thing);
        if (thing.kind == "worker") return check_worker(thing);
        auto meant = nearest(word, everything());
        if (auto worker = nearest(word, worker_names()); meant.empty() && !worker.empty()) meant = "worker." + worker;
        if (configuration_.find_worker(word) != nullptr) meant = "worker." + word;
        if (is_queue(word)) meant = meant.empty() ? "queue." + word : meant + "\" or \"queue." + word;
        return invocation_.misused("\"" + word + "\" is neither queue.NAME nor worker.NAME" +
                                   (meant.empty() ? "" : "; did you mean \"" + meant + "\"?"));
    }

    int check_queue(const Thing& thing) {
        auto queues = queue_names();
        if (!queues) return failed(invocation_, queues.error());
        if (std::find(queues->begin(), queues->end(), thing.name) != queues->end()) return 0;
        return refuse("there is no queue \"" + thing.name + "\"", thing, *queues);
    }

    int check_worker(const Thing& thing) {
        if (!invocation_.globals().node.empty())
            return invocation_.misused("a worker is paused on the host where it runs, without --node; its queue can be: forebay " + verb() +
                                       " queue.NAME --node URL");
        const auto* worker = configuration_.find_worker(thing.name);
        if (worker == nullptr) return refuse("there is no worker \"" + thing.name + "\"", thing, worker_names());
        if (worker->handler != HandlerKind::program) return 0;
        terminal().complain(thing.text() + " is a program with a loop of its own, which Forebay cannot " + verb() +
                            ". Its processes can be stopped: forebay stop " + thing.name +
                            (worker->queue.empty() ? ". Or a queue hands nothing out: forebay pause queue.NAME"
                                                   : ". Or its queue hands nothing out: forebay pause queue." + worker->queue));
        return exit_code::usage;
    }

    int refuse(std::string what, const Thing& thing, const std::vector<std::string>& known) {
        if (auto meant = nearest(thing.name, known); !meant.empty()) what += "; did you mean \"" + thing.kind + "." + meant + "\"?";
        terminal().complain(what);
        return exit_code::usage;
    }

    std::vector<std::string> worker_names() const {
        std::vector<std::string> names;
        for (const auto& worker : configuration_.workers) names.push_back(worker.name);
        return names;
    }
    bool is_queue(const std::string& name) const { return configuration_.find_queue(name) != nullptr; }
    std::vector<std::string> everything() const {
        std::vector<std::string> all;
        for (const auto& queue : configuration_.queues) all.push_back("queue." + queue.name);
        for (const auto& name : worker_names()) all.push_back("worker." + name);
        return all;
    }

    Result<std::vector<std::string>, AdminError> queue_names() {
        TRY_ASSIGN(auto answer, admin_.get("/api/queues"));
        std::vector<std::string> names;
        for (const auto& queue : answer["queues"].elements()) names.push_back(queue["name"].text());
        return names;
    }

    // ---- acts

    int would(const std::vector<Thing>& things) {
        if (terminal().wants_json()) {
            auto names = json::Value::array();
            for (const auto& thing : things) names.push(thing.text());
            terminal().result_json(json::Value().set("would", verb()).set("things", std::move(names)));
        } else {
            terminal().result("Would " + verb() + " " + names_of(things) + ".\n");
        }
        return exit_code::done;
    }

    int turn_queue(const Thing& thing) {
        auto path = "/api/queues/" + http::percent_encode(thing.name) + "/" + verb();
        auto answer = admin_.post(path, json::Value().set("reason", invocation_.value("reason").value_or("")).set("by", by_));
        if (!answer) return failed(invocation_, answer.error());
        if (pauses_) {
            tell_paused(thing, pause_of((*answer)["paused"]), (*answer)["already"].boolean(), "nobody is handed its messages");
        } else {
            tell_resumed(thing, pause_of((*answer)["was"]));
        }
        return exit_code::done;
    }

    int turn_worker(const Thing& thing) {
        auto path = worker::pause_path(pauses_folder(configuration_.node.data_dir), thing.text());
        auto known = worker::read_pause(path);
        worker::Pause pause{now_, invocation_.value("reason").value_or(""), by_};
        if (pauses_ != known.has_value()) {
            auto done = pauses_ ? worker::write_pause(path, pause) : remove_file(path);
            if (!done) {
                terminal().complain(thing.text() + " could not be " + verb() + "d: " + done.error());
                return exit_code::io;
            }
        }
        if (pauses_)
            tell_paused(thing, known.value_or(pause), known.has_value(),
                        "its processes finish what they have in hand and take nothing new");
        else
            tell_resumed(thing, known);
        return exit_code::done;
    }

    void tell_paused(const Thing& thing, const std::optional<worker::Pause>& pause, bool already, const std::string& what) {
        auto told = pause.value_or(worker::Pause{});
        if (terminal().wants_json())
            told_.push(json_of(thing, told).set("already", already));
        else if (already)
            terminal().result(thing.text() + " is paused already, for " + pause_text(told, now_) + ". That stays so.\n");
        else
            terminal().result(thing.text() + " is paused: " + what + " until forebay resume " + thing.text() + "\n");
    }

    void tell_resumed(const Thing& thing, const std::optional<worker::Pause>& was) {
        if (terminal().wants_json())
            told_.push(json_of(thing, was.value_or(worker::Pause{})).set("was_paused", was.has_value()));
        else if (!was)
            terminal().result(thing.text() + " is not paused.\n");
        else
            terminal().result(thing.text() + " goes on. It was paused for " + pause_text(*was, now_) + ".\n");
    }

    json::Value json_of(const Thing& thing, const worker::Pause& pause) const {
        return json::Value().set("what", thing.text()).set("since_ms", pause.since.ms).set("reason", pause.reason).set("by", pause.by);
    }

    Invocation& invocation_;
    bool pauses_;
    Configuration configuration_;
    AdminClient admin_;
    Timestamp now_;
    std::string by_;
    json::Value told_ = json::Value::array();
};

}  // namespace

std::string who_asks(Invocation& invocation) {
    for (auto name : {"SUDO_USER", "LOGNAME", "USER"})
        for (const auto& [key, value] : invocation.world().variables)
            if (key == name && !value.empty()) return value;
    const auto* user = ::getpwuid(::getuid());
    return user != nullptr ? user->pw_name : "uid " + std::to_string(::getuid());
}

std::optional<worker::Pause> pause_of(const json::Value& value) {
    if (!value.is_object()) return std::nullopt;
    return worker::Pause{{value["since_ms"].integer().value_or(0)}, value["reason"].text(), value["by"].text()};
}

std::string pause_text(const worker::Pause& pause, Timestamp now) {
    std::string out = age_text(now - pause.since);
    if (!pause.by.empty()) out += " by " + printable(pause.by);
    return pause.reason.empty() ? out : out + ": " + printable(pause.reason);
}

int run_pause(Invocation& invocation) { return Pauses(invocation, true).run(); }
int run_resume(Invocation& invocation) { return Pauses(invocation, false).run(); }

}  // namespace forebay::cli
