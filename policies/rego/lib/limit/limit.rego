# METADATA
# title: Daily limit
# description: >-
#   How many points a member of staff below super_admin may adjust or reverse
#   in a UTC day, over all accounts.
package pointgate.lib.limit

import data.pointgate.lib.denial
import data.pointgate.lib.roles

within if roles.at_least("super_admin")

# The amount was not understood: the gate refuses the input after an allow.
within if not _amount

within if input.context.facts.adjusted_today + _amount <= data.limits.daily_adjust

_amount := abs(input.context.facts.points)

# The effect checks it once more, inside its transaction.
default obligations := {}

obligations := {"daily_adjust_at_most": data.limits.daily_adjust} if not roles.at_least("super_admin")

# METADATA
# title: Over the daily limit
# description: This would exceed the points that you may adjust in one day.
# custom:
#   code: over_daily_limit
over_daily_limit := denial.of(rego.metadata.chain())
