// Renders templates of Ollama's with Go's own text/template: a JSON document per line in, the rendered text as JSON out.
//
// What a template sees is what Ollama's api/types.go and template/template.go describe (2026-11): system messages are
// joined, neighbours of one role are one message (but not the results of tools), and maps hold arguments and properties.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/template"
)

type Kinds []string

func (kinds *Kinds) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*kinds = Kinds{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(kinds))
}

func (kinds Kinds) MarshalJSON() ([]byte, error) {
	if len(kinds) == 1 {
		return json.Marshal(kinds[0])
	}
	return json.Marshal([]string(kinds))
}

type Property struct {
	AnyOf       []Property           `json:"anyOf,omitempty"`
	Type        Kinds                `json:"type,omitempty"`
	Items       any                  `json:"items,omitempty"`
	Description string               `json:"description,omitempty"`
	Enum        []any                `json:"enum,omitempty"`
	Properties  *map[string]Property `json:"properties,omitempty"`
}

type Tool struct {
	Type     string `json:"type"`
	Function struct {
		Name        string `json:"name"`
		Description string `json:"description,omitempty"`
		Parameters  struct {
			Type       string              `json:"type"`
			Required   []string            `json:"required,omitempty"`
			Properties map[string]Property `json:"properties"`
		} `json:"parameters"`
	} `json:"function"`
}

type Call struct {
	ID       string `json:"id"`
	Function struct {
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	} `json:"function"`
}

type Message struct {
	Role       string `json:"role"`
	Content    string `json:"content"`
	Thinking   string `json:"thinking"`
	ToolCalls  []Call `json:"tool_calls"`
	ToolName   string `json:"tool_name"`
	ToolCallID string `json:"tool_call_id"`
}

type Job struct {
	Template string
	Messages []Message
	Tools    []Tool
	Date     string
}

func collate(messages []Message) (string, []*Message) {
	var system []string
	var collated []*Message
	for i := range messages {
		message := &messages[i]
		if message.Role == "system" {
			system = append(system, message.Content)
		}
		last := len(collated) - 1
		if last >= 0 && collated[last].Role == message.Role && message.Role != "tool" {
			collated[last].Content += "\n\n" + message.Content
		} else {
			collated = append(collated, message)
		}
	}
	return strings.Join(system, "\n\n"), collated
}

func render(line []byte) (string, error) {
	var job Job
	if err := json.Unmarshal(line, &job); err != nil {
		return "", err
	}
	functions := template.FuncMap{
		"json":        func(value any) string { text, _ := json.Marshal(value); return string(text) },
		"currentDate": func() string { return job.Date },
	}
	parsed, err := template.New("").Option("missingkey=zero").Funcs(functions).Parse(job.Template)
	if err != nil {
		return "", err
	}
	system, messages := collate(job.Messages)
	var out strings.Builder
	err = parsed.Execute(&out, map[string]any{"System": system, "Messages": messages, "Tools": job.Tools, "Response": ""})
	return out.String(), err
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		text, problem := render(line)
		if problem != nil {
			text = "error: " + problem.Error()
		}
		quoted, _ := json.Marshal(text)
		fmt.Println(string(quoted))
	}
}
