// Reads JWTs, one a line on stdin, and writes what Go's encoding/json makes of their headers and claims, one a line.
//
// The form is that of test/fixtures/json-readings.ts: names in order, numbers as the bits of a double, strings in
// hexadecimal. The registered claims are read into a struct, as Go's JWT libraries do: names match without regard to case.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strings"
)

type registered struct {
	Iss   any `json:"iss"`
	Sub   any `json:"sub"`
	Aud   any `json:"aud"`
	Exp   any `json:"exp"`
	Nbf   any `json:"nbf"`
	Iat   any `json:"iat"`
	Jti   any `json:"jti"`
	Scope any `json:"scope"`
}

func render(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case float64:
		return fmt.Sprintf("n%016x", math.Float64bits(v))
	case string:
		return "s" + hex.EncodeToString([]byte(v))
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = render(item)
		}
		return "[" + strings.Join(items, ",") + "]"
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		sort.Strings(names)
		members := make([]string, len(v))
		for i, name := range names {
			members[i] = hex.EncodeToString([]byte(name)) + ":" + render(v[name])
		}
		return "{" + strings.Join(members, ",") + "}"
	}
	return fmt.Sprintf("%T", value)
}

func read(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func seenIn(jwt string) map[string]string {
	parts := strings.Split(jwt, ".")
	var header, claims any
	var known registered
	for _, err := range []error{read(parts[0], &header), read(parts[1], &claims), read(parts[1], &known)} {
		if err != nil {
			return map[string]string{"problem": err.Error()}
		}
	}
	return map[string]string{
		"header": render(header), "claims": render(claims),
		"iss": render(known.Iss), "sub": render(known.Sub), "aud": render(known.Aud), "exp": render(known.Exp),
		"nbf": render(known.Nbf), "iat": render(known.Iat), "jti": render(known.Jti), "scope": render(known.Scope),
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		if err := encoder.Encode(seenIn(lines.Text())); err != nil {
			panic(err)
		}
	}
}
