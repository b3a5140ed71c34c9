# What the stories share: the test tools, and saying what was expected.
# Works in Windows PowerShell 5.1 and in PowerShell 7.

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$script:Root = (Resolve-Path (Join-Path $PSScriptRoot '..\..\..')).Path

# Builds one of the test tools (cargo does nothing when it is current) and gives its path.
function Get-TestTool([string] $Name) {
    Push-Location $script:Root
    try {
        # cargo talks on the error stream, which Windows PowerShell would take for a failure.
        cmd /c "cargo build --locked --quiet --profile small -p gc-platform-windows --examples 2>&1" | Out-Host
        if ($LASTEXITCODE -ne 0) { throw 'the test tools do not build' }
    } finally { Pop-Location }
    Join-Path $script:Root "target\small\examples\$Name.exe"
}

# Runs a program to its end and gives what it printed; its errors go to the console.
function Invoke-Program([string] $Program, [string[]] $Arguments = @(), [int] $ExitCode = 0) {
    # Our programs print UTF-8.
    [Console]::OutputEncoding = [System.Text.Encoding]::UTF8
    $printed = & $Program @Arguments
    if ($LASTEXITCODE -ne $ExitCode) {
        throw "$Program $Arguments ended with $LASTEXITCODE, not $ExitCode; it printed: $printed"
    }
    ($printed | Out-String).TrimEnd("`r", "`n")
}

# True when a program ends well. What it prints is of no interest.
function Test-Program([string] $Program, [string[]] $Arguments = @()) {
    # Windows PowerShell would take a redirected error stream for a failure.
    $ErrorActionPreference = 'Continue'
    & $Program @Arguments *> $null
    $LASTEXITCODE -eq 0
}

function Assert-True([bool] $Condition, [string] $Sentence) {
    if (-not $Condition) { throw "expected: $Sentence" }
}

function Assert-Equal($Actual, $Expected, [string] $What) {
    # -cne: PowerShell's own comparison takes a and A for the same.
    if ($Actual -cne $Expected) { throw "$What is '$Actual', not '$Expected'" }
}

# Asks again until the answer is true, at most half a minute.
function Wait-Until([string] $What, [scriptblock] $Question) {
    $deadline = (Get-Date).AddSeconds(30)
    while (-not (& $Question)) {
        if ((Get-Date) -gt $deadline) { throw "waited in vain for $What" }
        Start-Sleep -Milliseconds 100
    }
}

# Lets the agent read the screen, and shows the picture, and what the agent printed, to a story.
function Use-Picture([string] $Agent, [scriptblock] $Story) {
    Add-Type -AssemblyName @('System.Drawing', 'System.Windows.Forms')
    $folder = Join-Path ([System.IO.Path]::GetTempPath()) ('guruconnect-' + [guid]::NewGuid())
    New-Item -ItemType Directory -Path $folder | Out-Null
    try {
        $file = Join-Path $folder 'screen.png'
        $said = Invoke-Program $Agent @('--test-capture', $file)
        Write-Host $said
        $image = [System.Drawing.Image]::FromFile($file)
        try { & $Story $image $said } finally { $image.Dispose() }
    } finally { Remove-Item -Recurse -Force $folder }
}

Export-ModuleMember -Function @(
    'Assert-Equal', 'Assert-True', 'Get-TestTool', 'Invoke-Program', 'Test-Program', 'Use-Picture', 'Wait-Until')
