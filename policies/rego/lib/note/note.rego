# METADATA
# title: Internal notes
# description: >-
#   What staff noted on a ledger line is for staff. Whoever is not told to show
#   it leaves it out.
package pointgate.lib.note

default obligations := {}

obligations := {"show_internal_note": true} if input.subject.type == "staff"
