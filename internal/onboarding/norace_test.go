//go:build !race

package onboarding_test

// stride is from one disturbed moment to the next.
const stride = 1
