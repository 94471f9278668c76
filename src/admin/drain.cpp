#include "admin/drain.h"

#include "admin/pauses.h"
#include "base/log_line.h"

namespace forebay::admin {
http::Response drain_node(Parts& parts, const Call& call) {
    if (auto drained = parts.facts().drained) return json_response(json::Value().set("drained", pause_json(*drained)).set("already", true));
    auto pause = pause_in(call.body, parts.clock.wall());
    if (auto kept = parts.drain(pause); !kept) return unkept(kept.error());
    log_warn("node.drained").with("reason", pause.reason).with("by", pause.by).with("next", "forebay drain --undo");
    return json_response(json::Value().set("drained", pause_json(pause)).set("already", false));
}

http::Response undrain_node(Parts& parts, const Call& call) {
    auto drained = parts.facts().drained;
    if (!drained) return json_response(json::Value().set("was", json::Value()));
    auto now = pause_in(call.body, parts.clock.wall());
    if (auto kept = parts.drain(std::nullopt); !kept) return unkept(kept.error());
    log_info("node.undrained").with("seconds", (now.since - drained->since) / 1s).with("reason", now.reason).with("by", now.by);
    return json_response(json::Value().set("was", pause_json(*drained)));
}

}  // namespace forebay::admin
