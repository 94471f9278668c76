#pragma once
// The addresses a node listens on, each with who answers there: intake, the queue port, the admin port and the one for metrics. All of
// them answer /livez and /readyz.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "admin/admin.h"
#include "cli/config/configuration.h"
#include "cli/process/bequest.h"
#include "cli/process/readiness.h"
#include "cli/process/sockets.h"
#include "http/server.h"
#include "intake/intake.h"
#include "metrics/metrics.h"
#include "sqs/api.h"

namespace forebay::cli {

class Listeners {
  public:
    /// What is heard of; outlives the listeners.
    struct Parts {
        intake::Intake& intake;
        sqs::Api& sqs;
        admin::Admin& admin;
        const Readiness& readiness;
        metrics::Registry& registry;
    };
    explicit Listeners(Parts parts) : parts_(parts) {}

    /// 0 when all are open; else the exit code, which is logged, with who is in the way. Sockets that were inherited are not
    /// opened again.
    int open(const Configuration& configuration, InheritedSockets inherited);
    /// Goes on with connections of the node before. Those of an address that is not listened on any more are closed.
    void adopt(std::vector<Bequeathed> connections);
    /// Accepts nobody, takes up no request, and gives every connection away once it has its answers.
    void hand_over(Bequest& bequest);
    /// No new connections; those there are closed as they fall idle.
    void drain();
    /// After hand_over(): no request comes in any more, on any address.
    bool takes_up_nothing() const;
    /// Nobody is connected to intake.
    bool is_intake_empty() const;
    /// Nobody is connected at all.
    bool is_empty() const;
    /// Waits for each so long at most, then closes everything.
    void stop(Duration patience);

  private:
    /// An address that could not be listened on.
    struct Refused {
        Listen at;
        std::string listener, why;
        std::string setting() const { return listener == "prometheus" ? "telemetry.prometheus" : listener + ".listen"; }
    };
    Result<void, Refused> open_all(const Configuration& configuration);
    Result<void, Refused> listen_for_intake(const Configuration& configuration, const Listen& on);
    Result<void, Refused> listen(const Listen& on, std::string name, http::Handler handler, std::uint64_t body_max);
    Result<void, Refused> open_server(const Listen& on, http::ServerOptions options, http::Handler handler,
                                      std::vector<std::unique_ptr<http::Server>>& among);
    int refuse(const Refused& refused);

    Parts parts_;
    InheritedSockets inherited_;
    std::map<std::string, http::Server*> by_address_;  ///< by `intake.listen 127.0.0.1:8080`
    std::vector<std::unique_ptr<http::Server>> intake_servers_, other_servers_;
};

}  // namespace forebay::cli
