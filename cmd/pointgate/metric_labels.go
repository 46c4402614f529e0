package main

import "strings"

// other stands for what is not in the lists below, so that the number of series
// has a bound whatever a policy or a caller brings.
const other = "other"

// actions are those of the gate. A test asks every route for its own.
var actions = words(`
	alert.list alert.read alert.update
	client.create client.delete client.expire client.list client.read client.register client.rotate client.update
	consent.grant
	customer.create customer.delete customer.list customer.read customer.update
	decision.count decision.export decision.list decision.prove decision.read device.authorize
	erasure.create erasure.list erasure.read
	grant.list grant.read grant.revoke
	hold.expire
	key.create key.delete key.list key.read key.revoke key.update
	points.adjust points.capture points.earn points.expire points.history points.hold points.read points.redeem
	points.release points.reverse points.transfer
	registration.delete registration.read registration.update registration_token.create registration_token.list registration_token.read registration_token.revoke
	request.push resource.create resource.delete resource.list resource.read resource.update revocation.create
	session.list session.read session.revoke setup.complete
	signing_key.list signing_key.read signing_key.revoke signing_key.rotate
	staff.create staff.delete staff.list staff.read staff.update
	tenant.create tenant.delete tenant.list tenant.read tenant.update
	token.create token.exchange token.introspect token.issue token.list token.read token.refresh token.revoke token.update
	trail.read trail.rotate
	userinfo.read`)

// codes are those of problems and of OAuth errors; a test compares them with
// the program's tables. One that a policy brings itself is "other" here, and itself
// in the record.
var codes = words(`ok error_page
	audit_unavailable balance_limit conflict denied expired_credentials hold_closed idempotency_mismatch in_progress
	insufficient_points internal invalid_credentials invalid_request method_not_allowed missing_credentials missing_role
	missing_scope not_found not_owner over_daily_limit policy_unavailable rate_limited revoked_credentials
	store_unavailable too_large unsupported_media_type validation_failed wrong_tenant
	insufficient_user_authentication
	access_denied authorization_pending consent_required expired_token invalid_client invalid_client_metadata invalid_dpop_proof invalid_token
	login_required slow_down use_dpop_nonce
	invalid_grant invalid_request_uri invalid_scope invalid_target registration_not_supported
	request_not_supported request_uri_not_supported server_error temporarily_unavailable unauthorized_client
	unsupported_grant_type unsupported_response_type unsupported_token_type`)

// known is the word itself if it is in the set or empty, else "other".
func known(set map[string]bool, word string) string {
	if word == "" || set[word] {
		return word
	}
	return other
}

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}
