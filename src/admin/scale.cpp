#include "admin/scale.h"

#include <string>

#include "admin/call.h"

namespace forebay::admin {

http::Response show_scale(json::Value scales, std::string_view worker) {
    if (worker.empty()) return json_response(json::Value().set("workers", std::move(scales)));
    std::string known;
    for (const auto& scale : scales.elements()) {
        const auto& name = scale["worker"].text();
        if (name == worker) return json_response(scale);
        known += (known.empty() ? "" : ", ") + name;
    }
    return http::problem(404, "no_such_worker",
                         "There is no worker \"" + std::string(worker) + "\" here; " +
                             (known.empty() ? "there is none at all." : "there are " + known + "."));
}

}  // namespace forebay::admin
