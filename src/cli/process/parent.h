#pragma once
// The supervising parent: starts the node and the numbered workers, keeps them alive, obeys signals and the
// control socket. `forebay serve` and `forebay dev` are this with different surroundings.
//
// A reload reads the configuration again and gives each process what concerns it: the node takes up endpoints, keys, queues and
// the like as it runs and hands over to a successor for the rest; workers whose settings changed are started anew, one by one.
// An upgrade becomes the binary that is at the old one's place now, under the same pid, with the same children, and then
// renews those of them that are forebay's own.

#include "cli/config/load.h"
#include "sqs/signature.h"
#include "supervisor/supervisor.h"

namespace forebay::cli {

struct ParentOptions {
    bool dev = false;                ///< a banner, workers' lines on the terminal, and a watch on the configuration file
    std::string file;                ///< the configuration file the children are given; absolute or relative to here
    std::string environment;         ///< -e, for the children
    std::vector<std::string> roles;  ///< serve --role; empty = the configuration's
};

/// Runs until everything is stopped; the exit code.
int run_parent_process(const Configuration& configuration, const ParentOptions& options);

/// The programs the parent runs, in the order of the configuration. Those that are not ours find `worker_key` in their
/// environment.
std::vector<supervisor::ProgramSpec> programs_of(const Configuration& configuration, const ParentOptions& options,
                                                 const std::string& executable, const sqs::Credentials& worker_key);

/// Whether the node takes up a change of this setting as it runs; for the rest it hands over to a successor.
bool is_taken_up_as_it_runs(std::string_view path);

}  // namespace forebay::cli
