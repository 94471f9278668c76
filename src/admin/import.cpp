#include "admin/import.h"

#include <condition_variable>
#include <memory>
#include <mutex>

#include "base/digest.h"

namespace forebay::admin {
namespace {

constexpr std::size_t rows_max = 1000;

/// Where the answers of a batch come together, from the broker's thread.
class Gathered {
  public:
    explicit Gathered(std::size_t rows) : results_(rows), open_(rows) {}
    void put(std::size_t row, intake::RowResult result) {
        std::lock_guard guard(lock_);
        results_[row] = std::move(result);
        if (--open_ == 0) all_there_.notify_one();
    }
    std::vector<intake::RowResult> wait() {
        std::unique_lock guard(lock_);
        all_there_.wait(guard, [this] { return open_ == 0; });
        return std::move(results_);
    }

  private:
    std::mutex lock_;  ///< guards everything below
    std::condition_variable all_there_;
    std::vector<intake::RowResult> results_;
    std::size_t open_;
};

std::string_view name_of(intake::RowResult::Outcome outcome) {
    using Outcome = intake::RowResult::Outcome;
    switch (outcome) {
        case Outcome::accepted:
            return "accepted";
        case Outcome::would_pass:
            return "would_pass";
        case Outcome::already_in:
            return "already_in";
        case Outcome::merged:
            return "merged";
        case Outcome::refused:
            return "refused";
        case Outcome::not_sent:
            return "not_sent";
    }
    return "not_sent";
}

/// Rows that were not taken, one by one.
json::Value to_json(std::uint64_t line, const intake::RowResult& result) {
    json::Value out;
    out.set("line", line).set("id", to_text(result.id)).set("outcome", name_of(result.outcome)).set("kept", result.kept);
    json::Value errors = json::Value::array();
    for (const auto& error : result.errors)
        errors.push(json::Value().set("field", error.field).set("code", error.code).set("detail", error.detail));
    out.set("errors", std::move(errors));
    if (!result.what.empty()) out.set("what", result.what);
    return out;
}

struct Row {
    intake::RowPlace place;
    std::string json;  ///< empty: it is a bad one
    intake::BadRow bad;
};

Result<Row, std::string> row_of(const std::string& source, const json::Value& given) {
    Row row;
    row.place.source = source;
    auto line = given["line"].integer().value_or(0);
    if (line < 1) return Failure{std::string("A row needs its \"line\".")};
    row.place.line = static_cast<std::uint64_t>(line);
    row.json = given["row"].text();
    if (!row.json.empty()) return row;
    auto raw = given["raw_base64"].text().empty() ? std::optional(given["raw"].text()) : from_base64(given["raw_base64"].text());
    if (!raw || given["code"].text().empty())
        return Failure{"The row of line " + std::to_string(line) + " has neither \"row\" nor \"code\"."};
    row.bad = {std::move(*raw), given["raw_type"].text(), given["code"].text(), given["detail"].text()};
    return row;
}

std::vector<intake::RowResult> put_in(intake::Intake& intake, const std::string& endpoint, std::vector<Row> rows) {
    auto gathered = std::make_shared<Gathered>(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        auto put = [gathered, i](intake::RowResult result) { gathered->put(i, std::move(result)); };
        if (rows[i].json.empty())
            intake.quarantine_row(endpoint, rows[i].place, std::move(rows[i].bad), std::move(put));
        else
            intake.import_row(endpoint, rows[i].place, rows[i].json, std::move(put));
    }
    return gathered->wait();
}

std::vector<intake::RowResult> check(intake::Intake& intake, const std::string& endpoint, std::vector<Row> rows) {
    std::vector<intake::RowResult> out;
    for (auto& row : rows) {
        if (!row.json.empty()) {
            out.push_back(intake.check_row(endpoint, row.place, row.json));
            continue;
        }
        intake::RowResult bad;
        bad.outcome = intake::RowResult::Outcome::refused;
        bad.errors.push_back({"", row.bad.code, row.bad.detail});
        out.push_back(std::move(bad));
    }
    return out;
}

json::Value field_json(const intake::Field& field) {
    json::Value aliases = json::Value::array();
    for (const auto& alias : field.aliases) aliases.push(alias);
    return json::Value().set("name", field.name).set("required", field.required).set("aliases", std::move(aliases));
}

std::string_view name_of(intake::Unknown unknown) {
    if (unknown == intake::Unknown::keep) return "keep";
    return unknown == intake::Unknown::drop ? "drop" : "refuse";
}

bool has_endpoint(const intake::Intake& intake, const std::string& name) {
    for (const auto& endpoint : intake.endpoints())
        if (endpoint.name == name) return true;
    return false;
}

}  // namespace

http::Response list_endpoints(intake::Intake& intake) {
    json::Value endpoints = json::Value::array();
    for (const auto& endpoint : intake.endpoints()) {
        json::Value fields = json::Value::array();
        for (const auto& field : endpoint.fields) fields.push(field_json(field));
        endpoints.push(json::Value()
                           .set("name", endpoint.name)
                           .set("queue", endpoint.queue)
                           .set("unknown", name_of(endpoint.unknown))
                           .set("fields", std::move(fields)));
    }
    return json_response(json::Value().set("endpoints", std::move(endpoints)));
}

http::Response import_rows(intake::Intake& intake, const Call& call) {
    const auto& endpoint = call.body["endpoint"].text();
    const auto& source = call.body["source"].text();
    const auto& given = call.body["rows"].elements();
    if (!has_endpoint(intake, endpoint)) return bad_request("There is no endpoint \"" + endpoint + "\".");
    if (source.empty()) return bad_request("\"source\" is missing: the name of the file.");
    if (given.empty() || given.size() > rows_max) return bad_request("\"rows\" must be 1 to 1000 rows.");
    std::vector<Row> rows;
    for (const auto& one : given) {
        auto row = row_of(source, one);
        if (!row.ok()) return bad_request(row.error());
        rows.push_back(std::move(*row));
    }
    bool dry_run = call.body["dry_run"].boolean();
    auto results = dry_run ? check(intake, endpoint, std::move(rows)) : put_in(intake, endpoint, std::move(rows));
    json::Value counts = json::Value::object(), filled = json::Value::object(), others = json::Value::array();
    auto one_more = [](json::Value& of, std::string_view name) { of.set(name, of[name].integer().value_or(0) + 1); };
    for (std::size_t i = 0; i < results.size(); ++i) {
        using Outcome = intake::RowResult::Outcome;
        auto outcome = results[i].outcome;
        one_more(counts, name_of(outcome));
        for (const auto& field : results[i].filled) one_more(filled, field);
        if (outcome == Outcome::refused || outcome == Outcome::not_sent)
            others.push(to_json(static_cast<std::uint64_t>(*given[i]["line"].integer()), results[i]));
    }
    return json_response(json::Value().set("counts", std::move(counts)).set("filled", std::move(filled)).set("rows", std::move(others)));
}

}  // namespace forebay::admin
