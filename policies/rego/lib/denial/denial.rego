# METADATA
# title: Denials
# description: >-
#   A denial is made of the METADATA of its rule, so that code, text and
#   document can't drift apart.
package pointgate.lib.denial

# METADATA
# title: Denied
# description: No rule permits this action.
# custom:
#   code: denied
denied := of(rego.metadata.chain())

# The reason that the annotations of a rule give.
of(chain) := {
	"code": chain[0].annotations.custom.code,
	"message": chain[0].annotations.description,
	"rule": concat(".", chain[0].path),
}
