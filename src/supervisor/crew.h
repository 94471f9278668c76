#pragma once
// All pools, and what has been asked of them and still goes on: starts, stops, rolling restarts, other numbers, other programs.
// It waits for nothing: the supervisor's loop brings it events and has it look after what is under way.

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "supervisor/control.h"
#include "supervisor/control_server.h"
#include "supervisor/pool.h"
#include "supervisor/task.h"

namespace forebay::supervisor {

class Crew {
  public:
    using Connection = ControlServer::Connection;
    using Answer = std::function<void(Connection, const ControlAnswer&)>;

    /// `options` outlives it. `answer` is called when what a connection asked for is done. Goes on with what
    /// Options::left_behind tells of.
    Crew(const Options& options, std::vector<ProgramSpec> programs, Answer answer);

    /// Those in charge and those that leave, in the order of the configuration.
    std::vector<Process*> all();
    /// Also those that hand over, and their successors.
    std::vector<Process*> everything();
    bool has_processes();
    /// Something asked still goes on, or somebody is on the way out.
    bool is_busy() const;
    Duration to_next_timer();
    ControlAnswer status();

    /// Starts what may never be away by itself; after an upgrade renews our own processes.
    void begin();
    /// Starts what else is to be started by itself.
    void begin_others();
    /// How long the process of that name may take to end.
    Duration stop_wait(const std::string& name);
    void fire_timer(Process& process);
    /// Takes in what it said on its channel.
    void hear(Process& process);
    /// Goes on with what is under way. Once a turn.
    void look_after();

    /// start, stop, restart, signal, scale.
    void obey(const ControlRequest& request, Connection connection);
    /// So many as the load needs, unless a person fixed their number.
    void scale_to_load(const std::string& worker, unsigned count);
    /// From now on these. Answers when everything is theirs; `text` goes along.
    void renew(std::vector<ProgramSpec> programs, std::optional<Connection> connection, std::string text);
    /// Stops everything in its order; who waits for something else is told so.
    void shut_down();
    /// Waits no longer.
    void kill_all();

    json::Value leave_behind(bool inheritable);

  private:
    Pool* find_pool(std::string_view name);
    Pool* pool_of(const Process& process) { return find_pool(process.spec().name); }
    std::vector<Process*> in_start_order();
    Result<std::vector<Process*>, std::string> find(const std::vector<std::string>& patterns);
    bool is_in_hand(const Process& process) const;
    void withdraw(const std::vector<Process*>& processes);
    void begin(std::vector<Stage> stages, std::optional<Connection> connection, std::string text = {});
    void advance_tasks();
    ControlAnswer answer_of(const Task& task);
    ControlAnswer with_pools(ControlAnswer answer) const;
    void wear_out(Process& process, const std::string& why);
    void act(const ControlRequest& request, const std::vector<Process*>& named, Connection connection);
    void scale_by_hand(const ControlRequest& request, Connection connection);
    std::vector<Stage> rolling_stages(const std::vector<Process*>& processes);
    std::vector<Stage> fitting_stages(Pool& pool);
    std::vector<Stage> changed_stages(Pool& pool, const std::vector<Process*>& before);
    std::vector<Stage> take(std::vector<ProgramSpec> programs);
    void adopt(const json::Value& left);
    void go_on_after_upgrade();

    const Options& options_;
    SystemClock clock_;
    Answer answer_;
    std::list<Pool> pools_;
    std::list<Task> tasks_;
};

}  // namespace forebay::supervisor
