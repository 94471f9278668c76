#include "db/options.h"

namespace forebay::db {

std::string_view name_of(Driver driver) {
    switch (driver) {
        case Driver::sqlite:
            return "sqlite";
        case Driver::mariadb:
            return "mariadb";
        case Driver::mysql:
            return "mysql";
        case Driver::postgresql:
            return "postgres";
    }
    return "?";
}

std::string to_text(const Address& address) {
    bool is_ipv6 = address.host.find(':') != std::string::npos;
    return (is_ipv6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string place_of(const Options& options) {
    if (options.driver == Driver::sqlite) return options.path;
    std::string out;
    for (auto& address : options.writer) out.append(out.empty() ? "" : ", ").append(to_text(address));
    return out;
}

}  // namespace forebay::db
