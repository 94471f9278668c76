#pragma once
// The verbs that run Forebay itself: they build everything and stay until they are told to stop.

namespace forebay::cli {

class Invocation;

int run_dev(Invocation& invocation);    ///< dev.cpp: everything on one port set, sample configuration
int run_serve(Invocation& invocation);  ///< serve.cpp: the supervising parent, or one role in the foreground
int run_node(Invocation& invocation);   ///< node.cpp: intake, queue and admin in this process
int run_work(Invocation& invocation);   ///< work.cpp: one numbered worker process: WORKER [N]

}  // namespace forebay::cli
