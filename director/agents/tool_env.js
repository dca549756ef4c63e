// Gives every command of an agent the variables of its call: director notes them beside the
// worktree. They tell whose process it is; what opens the server to others is taken away.
import { readFileSync } from "node:fs"

export const ToolEnv = async ({ directory }) => ({
  "shell.env": async (_, output) => {
    output.env.OPENCODE_SERVER_PASSWORD = ""
    Object.assign(output.env, JSON.parse(readFileSync(`${directory}.env.json`, "utf8")))
  },
})
