//go:build race

package onboarding_test

// stride is from one disturbed moment to the next: what the detector looks for
// happens at any of them.
const stride = 5
