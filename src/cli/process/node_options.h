#pragma once
// What the configuration says to the parts of a node, in their own terms.

#include <string>
#include <vector>

#include "admin/admin.h"
#include "broker/options.h"
#include "cli/config/configuration.h"
#include "cli/process/audit_book.h"
#include "intake/intake.h"
#include "sqs/gatekeeper.h"

namespace forebay::cli {

/// `audits` outlives the broker: it says which history may go.
broker::BrokerOptions broker_options(const Configuration& configuration, const AuditBook& audits);
/// `secret` signs receipts and form tokens.
intake::IntakeOptions intake_options(const Configuration& configuration, const std::string& secret);
/// Who may do what at the queue port, this node's workers with their key among them. That nobody else can sign is logged.
sqs::AccessRules access_rules(const Configuration& configuration, const sqs::AccessKey& of_workers, bool is_dev);
/// The workers as they are when the node starts; others come with a restart.
std::vector<admin::Route> routes_of(const Configuration& configuration);

}  // namespace forebay::cli
