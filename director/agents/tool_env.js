// Gives every command of an agent the variables of its call, which director notes beside the
// worktree before the call begins. They tell whose process it is. The server stays closed to it.
import { existsSync, readFileSync } from "node:fs"

export const ToolEnv = async ({ directory }) => {
  const note = `${directory}.env.json`
  const variables = existsSync(note) ? JSON.parse(readFileSync(note, "utf8")) : {}
  return {
    "shell.env": async (_, output) => {
      Object.assign(output.env, variables, { OPENCODE_SERVER_PASSWORD: "" })
    },
  }
}
