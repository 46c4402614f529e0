package pointgate

# To keep addresses and the ids of persons out of the records:
#
# mask := {
# 	{"path": "/requested_by", "reason": "where people are is not our business"},
# 	{"path": "/input/subject/id"},
# 	{"path": "/input/resource/id"},
# 	{"path": "/input/resource/properties/owner", "reason": "rules compare it with the subject's id"},
# }

# METADATA
# title: Mask
# description: >-
#   What records do not keep: a set of objects with a path (a JSON pointer,
#   /input/… or /requested_by) and, if wanted, a reason. It is evaluated when the
#   policy is loaded, so it can't look at the input. What no rule reads is left
#   out; what rules only compare with other masked paths gets a pseudonym; a
#   mask on anything else is refused.
mask := set()
