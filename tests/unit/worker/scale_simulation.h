#pragma once
// A queue and the processes that empty it, record by record, under a load that a list of points draws: what Autoscale makes of
// it, against somebody who knows beforehand what comes.

#include <string>
#include <vector>

#include "worker/autoscale.h"

namespace forebay::worker {

/// Between two points rate and service time change evenly; `is_held` is as the point before says.
struct LoadPoint {
    double at;       ///< seconds
    double rate;     ///< records a second
    double service;  ///< seconds of work for one record, on average
    bool is_held = false;
};

struct Load {
    std::string name;
    std::vector<LoadPoint> points;
    ScaleOptions options;
    double start_least = 0.3, start_most = 1.5;  ///< seconds until a new process works
    bool tells = true;                           ///< what it settled and how long it worked: programs do not
    unsigned batch = 1;                          ///< records a process takes at once
    double batch_cost = 0;                       ///< seconds that a run takes besides `service` for each of its records
};

struct ScaleFigures {
    unsigned minutes = 0, allowed = 0,
             good = 0;  ///< minutes; those in which `max` is enough; those of them where nobody waited longer than drain_within
    unsigned changes = 0, reversals = 0;  ///< of the number; those to and fro while the load stayed within a fifth
    double used = 0, needed = 0;          ///< processes on average, and of who knows beforehand
    double longest_wait = 0;              ///< seconds, in a minute that is allowed
};

ScaleFigures simulate(const Load& load, std::uint64_t seed);
/// The loads of docs/autoscaling.md.
std::vector<Load> loads();

}  // namespace forebay::worker
